package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Whoever does something is in the audit log, with what, and no secret is.
func TestAdminClientsAudit(t *testing.T) {
	s := newAdminSite(t)
	log := filepath.Join(t.TempDir(), "log")
	s.log = "log {\n\t\toutput file " + log + "\n\t\tformat json\n\t}"
	s.mustReload(clientOptions, gateOfB)
	made := s.mustClient(201, "POST", "", `{"client_id":"a"}`)
	s.mustClient(200, "PATCH", "/a", `{"disabled":true,"name":"x"}`)
	s.mustClient(400, "PATCH", "/a", `{"roles":["`+made.Secret+`"]}`)
	s.mustClient(404, "DELETE", "/"+made.Secret, "")
	second := s.mustClient(201, "POST", "/a/secrets", `{}`)
	s.mustClient(200, "DELETE", "/a/secrets/1", "")
	s.mustClient(404, "DELETE", "/a/secrets/"+second.Secret, "")
	s.mustClient(200, "DELETE", "/a", "")
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		var entry struct {
			Logger, Msg, Address, Action, Cause string
			ClientID                            string `json:"client_id"`
			SecretID                            string `json:"secret_id"`
			Members                             []string
			Status                              int
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Logger == "oauth2.audit" && entry.ClientID != "" {
			if entry.Address != "127.0.0.1" || entry.Cause != "" || strings.Contains(line, "cc_") {
				t.Errorf("%s", line)
			}
			lines = append(lines, strings.TrimSpace(fmt.Sprintln(entry.Msg, entry.ClientID, entry.SecretID, entry.Members, entry.Action, entry.Status)))
		}
	}
	want := []string{
		"client added a 1 []  0",
		"client changed a  [disabled name]  0",
		"change refused a  [] change 400",
		"change refused (withheld)  [] remove 404",
		"secret added a 2 []  0",
		"secret removed a 1 []  0",
		"change refused a  [] remove_secret 404",
		"client removed a  []  0",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s", strings.Join(lines, "\n"))
	}
}

// Caddy's own rules of who may use the admin endpoint hold.
func TestAdminClientsHonourOrigins(t *testing.T) {
	s := newAdminSite(t)
	config := strings.Replace(s.config(clientOptions, gateOfB), "admin off",
		"admin "+s.admin+" {\n\t\torigins "+s.admin+"\n\t\tenforce_origin\n\t}", 1)
	s.loadText(config)
	s.mustClient(201, "POST", "", `{"client_id":"a"}`, "Origin", "http://"+s.admin)
	for _, origin := range []string{"", "http://evil.example"} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			path, body := "/a", ""
			if method == "POST" {
				path, body = "", `{"client_id":"b"}`
			}
			r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.admin+"/oauth2/clients"+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
			if status, _, answer := s.send(r); status != 403 {
				t.Errorf("%s from %q: %d %s", method, origin, status, answer)
			}
		}
	}
	s.mustClient(404, "GET", "/b", "", "Origin", "http://"+s.admin)
	s.mustClient(200, "GET", "/a", "", "Origin", "http://"+s.admin)
}
