package caddymodule_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/caddymodule"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

type adminRevocation struct {
	JTI      string
	ClientID string `json:"client_id"`
	Expires  time.Time
	Revoked  bool
	Error    string
}

// peekID is the `jti` of a token.
func peekID(t *testing.T, raw string) string {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
	var claims struct{ JTI string }
	if err = errors.Join(err, json.Unmarshal(payload, &claims)); err != nil {
		t.Fatal(err)
	}
	return claims.JTI
}

// A token is refused from the next request on, by itself or by its jti, and stays
// so over a reload.
func TestAdminRevokesTokens(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient+"\n token_lifetime 30m", "oauth2_gate read")
	kept, whole, named := s.token("read"), s.token("read"), s.token("read")
	for _, raw := range []string{kept, whole, named} {
		s.expect("/", raw, 200)
	}
	var answer adminRevocation
	status, text := s.askJSON("POST", "/oauth2/revocations", `{"token":"`+whole+`"}`, &answer)
	if status != 200 || !answer.Revoked || answer.ClientID != "batch" || answer.JTI != peekID(t, whole) || strings.Contains(text, whole) {
		t.Fatalf("%d %s", status, text)
	}
	s.expect("/", whole, 401)
	answer = adminRevocation{}
	before := time.Now()
	status, text = s.askJSON("POST", "/oauth2/revocations", `{"jti":"`+peekID(t, named)+`"}`, &answer)
	if status != 200 || !answer.Revoked || answer.ClientID != "" || answer.Expires.Before(before.Add(29*time.Minute)) || answer.Expires.After(before.Add(31*time.Minute)) {
		t.Fatalf("%d %s", status, text)
	}
	s.expect("/", named, 401)
	s.mustReload(batchClient, "oauth2_gate read")
	s.expect("/", whole, 401)
	s.expect("/", named, 401)
	s.expect("/", kept, 200)
	// With a shorter life of tokens, those from before are remembered as long as they live.
	s.mustReload(batchClient+"\n token_lifetime 1m", "oauth2_gate read")
	if status, text := s.askJSON("POST", "/oauth2/revocations", `{"jti":"`+peekID(t, kept)+`"}`, &answer); status != 200 || answer.Expires.Before(before.Add(59*time.Minute)) {
		t.Errorf("%d %s", status, text)
	}
	for _, expires := range []string{fmt.Sprint(before.Add(time.Hour).Unix()), `"` + before.Add(time.Hour).Format(time.RFC3339) + `"`} {
		status, text := s.askJSON("POST", "/oauth2/revocations", `{"jti":"`+token.NewID(3)+`","expires":`+expires+`}`, &answer)
		if status != 200 || answer.Expires.Unix() != before.Add(time.Hour).Unix() {
			t.Errorf("%s: %d %s", expires, status, text)
		}
	}
}

// A token that has expired is known by its signature, and there is nothing to do.
func TestAdminRevokesAnExpiredToken(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	expired := caddymodule.SignExpired(t)
	var answer adminRevocation
	status, text := s.askJSON("POST", "/oauth2/revocations", `{"token":"`+expired+`"}`, &answer)
	if status != 200 || answer.Revoked || answer.ClientID != "batch" || answer.Expires.After(time.Now()) {
		t.Errorf("%d %s", status, text)
	}
}

// What cannot be a token of ours is refused, and never shown.
func TestAdminRevocationErrors(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	good := s.token("read")
	id := peekID(t, good)
	for _, c := range []struct {
		status int
		body   string
	}{
		{400, `{}`},
		{400, `[]`},
		{400, `null`},
		{400, `{"token":""}`},
		{400, `{"token":7}`},
		{400, `{"jti":"` + id + `","token":"` + good + `"}`},
		{400, `{"token":"` + good + `","expires":4000000000}`},
		{400, `{"token":"` + good + `"`},
		{400, `{"token":"` + good + `"} {}`},
		{400, `{"tokens":"` + good + `"}`},
		{400, `{"token":"` + good[:len(good)-4] + `AAAA"}`},
		{400, `{"token":"` + strings.Replace(good, ".", "..", 1) + `"}`},
		{400, `{"token":"` + secret + `"}`},
		{400, `{"jti":"` + good + `"}`},
		{400, `{"jti":"` + secret + `"}`},
		{400, `{"jti":"` + id + ` "}`},
		{400, `{"jti":"` + id + `.0"}`},
		{400, `{"jti":"` + id + `.01"}`},
		{400, `{"jti":"` + id[:21] + `"}`},
		{400, `{"jti":"` + id + `","expires":1000000000}`},
		{400, `{"jti":"` + id + `","expires":99999999999}`},
		{400, `{"jti":"` + id + `","expires":"tomorrow"}`},
		{400, `{"jti":"` + id + `","expires":"1h"}`},
		{400, `{"jti":"` + id + `","expires":{}}`},
		{400, `{"jti":"` + id + `","expires":null}`},
		{413, `{"token":"` + strings.Repeat("a", 70_000) + `"}`},
	} {
		var answer adminRevocation
		status, text := s.askJSON("POST", "/oauth2/revocations", c.body, &answer)
		if status != c.status || answer.Error == "" || strings.Contains(text, good[:40]) || strings.Contains(text, secret) {
			t.Errorf("%.200s: %d %.500s", c.body, status, text)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.admin+"/oauth2/revocations", strings.NewReader(`{"jti":"`+id+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/plain") // as a form of another site can send
	if status, _, body := s.send(r); status != 415 {
		t.Errorf("%d %s", status, body)
	}
	s.expect("/", good, 200)
}

// Who revoked what is in the audit log, and no token is in any log.
func TestAuditOfAdminRevocations(t *testing.T) {
	s := newAdminSite(t)
	path := filepath.Join(t.TempDir(), "all.log")
	s.log = "log all {\noutput file " + path + "\nformat json\nlevel DEBUG\n}"
	s.mustReload(batchClient, "oauth2_gate read")
	good, other := s.token("read"), s.token("read")
	s.askJSON("POST", "/oauth2/revocations", `{"token":"`+good+`"}`, new(any))
	s.askJSON("POST", "/oauth2/revocations", `{"jti":"`+peekID(t, other)+`"}`, new(any))
	s.askJSON("POST", "/oauth2/revocations", `{"jti":"`+other+`"}`, new(any)) // a mistake
	var lines []string
	for _, line := range logged(t, path) {
		if text := fmt.Sprint(line); strings.Contains(text, good[:60]) || strings.Contains(text, other[:60]) {
			t.Errorf("a token: %s", text)
		}
		if line["logger"] == "oauth2.audit" && line["msg"] == "token revoked by an operator" {
			lines = append(lines, fmt.Sprint(line["jti"], line["client_id"], line["address"]))
		}
	}
	want := []string{peekID(t, good) + "batch127.0.0.1", fmt.Sprint(peekID(t, other), nil, "127.0.0.1")}
	if fmt.Sprint(lines) != fmt.Sprint(want) {
		t.Errorf("%q, expected %q", lines, want)
	}
}

func TestCommandTokenRevoke(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	run := func(stdin string, arguments ...string) (out, printed string, err error) {
		return caddymodule.CommandReading(strings.NewReader(stdin), append([]string{"token", "revoke", "--address", s.admin}, arguments...)...)
	}
	for name, call := range map[string]func(raw string) (string, string, error){
		"argument": func(raw string) (string, string, error) { return run("", raw) },
		"stdin":    func(raw string) (string, string, error) { return run(raw+"\n", "@-") },
		"file":     func(raw string) (string, string, error) { return run("", "@"+secretFile(t, raw+"\n")) },
		"jti":      func(raw string) (string, string, error) { return run("", peekID(t, raw)) },
		"jti read": func(raw string) (string, string, error) { return run(peekID(t, raw), "@-") },
	} {
		raw := s.token("read")
		out, printed, err := call(raw)
		if err != nil || printed != "" || !strings.HasPrefix(out, "Revoked the token "+peekID(t, raw)) || strings.Contains(out, raw) {
			t.Errorf("%s: %v %q %q", name, err, out, printed)
		}
		s.expect("/", raw, 401)
	}
	raw := s.token("read")
	out, _, err := run("", peekID(t, raw), "--json", "--expires", "2040-01-01T00:00:00Z")
	if want := fmt.Sprintf(`{"jti":%q,"expires":"2040-01-01T00:00:00Z","revoked":true}`+"\n", peekID(t, raw)); err != nil || out != want {
		t.Errorf("%q %v", out, err)
	}
	for says, arguments := range map[string][]string{
		"expected an access token, or": {secret},
		"signed":                       {"a.b.c"},
		"expires: expected":            {peekID(t, raw), "--expires", "soon"},
		"file name":                    {"@"},
		"accepts 1 arg":                {raw, raw},
	} {
		out, printed, err := run("", arguments...)
		if err == nil || out != "" || !strings.Contains(printed, says) || strings.Contains(printed, secret) || strings.Contains(printed, raw) {
			t.Errorf("%v: %v\n%s\n%s", arguments, err, out, printed)
		}
	}
}
