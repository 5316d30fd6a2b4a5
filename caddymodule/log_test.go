package caddymodule_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// logged stops Caddy, so that every handler has ended, and reads its log.
func logged(t *testing.T, path string) []map[string]any {
	t.Helper()
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path) //nolint:gosec // a file of the test
	if err != nil {
		t.Fatal(err)
	}
	var lines []map[string]any
	for line := range strings.Lines(string(text)) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		lines = append(lines, fields)
	}
	return lines
}

// The access log names the client as user_id, as it does with basic_auth: the
// one that the innermost gate has seen, and nobody where that saw none.
func TestUserInTheAccessLog(t *testing.T) {
	s := newSite(t)
	path := filepath.Join(t.TempDir(), "access.log")
	s.load(batchClient, "log {\noutput file "+path+"\nformat json\n}"+`
	route {
		oauth2_issuer
		oauth2_gate read
		route /replaced {
			request_header Authorization "Basic YTpi"
			oauth2_gate {
				public * /
			}
			respond "{http.auth.user.id}|{http.auth.user.scope}|{http.request.header.X-Client-Id}"
		}
		handle /public {
			oauth2_gate {
				public * /
			}
			respond "{http.auth.user.id}|{http.auth.user.scope}|{http.request.header.X-Client-Id}"
		}
		respond "{http.auth.user.id}|{http.auth.user.scope}|{http.request.header.X-Client-Id}"
	}`)
	token := s.token("read")
	for _, c := range []struct{ path, token, body string }{
		{"/", token, "batch|read|batch"},
		{"/public", token, "batch|read|batch"}, // the token that the outer gate took is the inner one's too
		{"/replaced", token, "||"},
	} {
		if _, body := s.expect(c.path, c.token, 200); body != c.body {
			t.Errorf("%s: got %q, want %q", c.path, body, c.body)
		}
	}
	s.expect("/", "", 401)
	want := []string{"", "batch", "batch", "", ""} // the first: the token request
	lines := logged(t, path)
	if len(lines) != len(want) {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		if line["user_id"] != want[i] {
			t.Errorf("line %d: user_id %q, want %q", i, line["user_id"], want[i])
		}
	}
}

// The address in the audit log is that of the client: what a proxy says of it
// counts where the operator trusts the proxy, and nowhere else.
func TestAddressInTheAuditLog(t *testing.T) {
	for name, c := range map[string]struct{ servers, forwarded, want string }{
		"no proxy":        {"", "", "127.0.0.1"},
		"nobody trusted":  {"", "192.0.2.9", "127.0.0.1"},
		"another trusted": {"servers {\ntrusted_proxies static 198.51.100.0/24\n}", "192.0.2.9", "127.0.0.1"},
		"trusted":         {"servers {\ntrusted_proxies static 127.0.0.1/32\n}", "192.0.2.9", "192.0.2.9"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			path := filepath.Join(t.TempDir(), "audit.log")
			text := strings.Replace(s.config(batchClient, "oauth2_gate write"), "output discard", "output file "+path+"\nformat json\ninclude oauth2.audit", 1)
			s.loadText(strings.Replace(text, "admin off", "admin off\n"+c.servers, 1))
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/orders", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+s.token("read"))
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			s.send(r)
			lines := logged(t, path)
			last := lines[len(lines)-1]
			if last["msg"] != "request refused" || last["logger"] != "oauth2.audit" || last["address"] != c.want || last["client_id"] != "batch" {
				t.Errorf("got %v", last)
			}
			for _, line := range lines {
				if seconds, _ := line["duration"].(float64); line["msg"] == "token issued" && seconds <= 0 {
					t.Errorf("duration of a token request: %v", line)
				}
			}
		})
	}
}
