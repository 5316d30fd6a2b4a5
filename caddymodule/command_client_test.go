package caddymodule_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/caddymodule"
)

// run runs a command on the site's Caddy.
func (s *adminSite) run(arguments ...string) (out, printed string, err error) {
	return caddymodule.Command(append(arguments, "--address", s.admin)...)
}

func (s *adminSite) mustRun(arguments ...string) string {
	s.t.Helper()
	out, printed, err := s.run(arguments...)
	if err != nil || printed != "" {
		s.t.Fatalf("%v: %v %s", arguments, err, printed)
	}
	return out
}

// With --json, what is made comes as three members: scripts rely on it.
func TestCommandClientJSON(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	for _, arguments := range [][]string{
		{"client", "add", "a b/c", "--name", "A", "--scopes", "orders:read orders:write", "--resources", "https://b.example.com", "--json"},
		{"secret", "add", "a b/c", "--expires", "90d", "--json"},
	} {
		var made map[string]string
		if err := json.Unmarshal([]byte(s.mustRun(arguments...)), &made); err != nil || len(made) != 3 || made["client_id"] != "a b/c" {
			t.Fatalf("%v: %v %v", arguments, made, err)
		}
		s.expect("/", s.tokenFor("a b/c", made["client_secret"]), 200)
		if made["secret_id"] == "" {
			t.Errorf("%v: %v", arguments, made)
		}
	}
	if out := s.mustRun("client", "add", "bare", "--no-secret", "--json"); out != `{"client_id":"bare"}`+"\n" {
		t.Error(out)
	}
	var list struct{ Clients []adminClient }
	if err := json.Unmarshal([]byte(s.mustRun("client", "list", "--json")), &list); err != nil || len(list.Clients) != 3 || list.Clients[0].Name != "A" {
		t.Errorf("%+v %v", list, err)
	}
	if out := s.mustRun("client", "remove", "bare", "--json"); out != `{"client_id":"bare","removed":true}`+"\n" {
		t.Error(out)
	}
	if out := s.mustRun("secret", "remove", "a b/c", "1", "--json"); out != `{"client_id":"a b/c","secret_id":"1","removed":true}`+"\n" {
		t.Error(out)
	}
}

// For people there are tables and sentences.
func TestCommandClientText(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	made := s.mustRun("client", "add", "a", "--roles", "clerk")
	if lines := strings.Split(made, "\n"); len(lines) != 4 || lines[0] != "client_id:     a" || !strings.HasPrefix(lines[1], "client_secret: cc_") || lines[2] != "secret_id:     1" {
		t.Errorf("%q", made)
	}
	for _, step := range []struct {
		arguments string
		says      []string
	}{
		{"client list", []string{"a       -     enabled  admin          1        -           clerk", "batch   -     enabled  configuration  1"}},
		{"client show a", []string{"client_id:      a\n", "state:          enabled\n", "roles:          clerk\n", "1       20", "never    -          -     0     never used\n"}},
		{"client disable a", []string{"Client a is disabled.\n"}},
		{"client show a", []string{"state:          disabled\n"}},
		{"client enable a", []string{"Client a is enabled.\n"}},
		{"secret add a --expires 1h", []string{"client_secret: cc_", "secret_id:     2"}},
		{"secret list a", []string{"SECRET  MADE ", "2       20"}},
		{"secret remove a 1", []string{"Removed secret 1 of client a.\n"}},
		{"client remove a", []string{"Removed client a: its tokens are refused.\n"}},
	} {
		out := s.mustRun(strings.Fields(step.arguments)...)
		if strings.HasPrefix(out, "\n") {
			t.Errorf("%s: a blank line comes first", step.arguments)
		}
		for _, says := range step.says {
			if !strings.Contains(out, says) {
				t.Errorf("%s: no %q in\n%s", step.arguments, says, out)
			}
		}
	}
}

// After a mistake nothing is printed as a result, and the reason is.
func TestCommandClientMistakes(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	s.mustRun("client", "add", "other")
	for _, c := range []struct {
		says      string
		arguments []string
	}{
		{"accepts 1 arg", []string{"client", "add"}},
		{"client_id", []string{"client", "add", ""}},
		{"unknown role", []string{"client", "add", "a", "--roles", "boss"}},
		{"--expires: expected", []string{"client", "add", "a", "--expires", ""}},
		{"secret_expires: expected none", []string{"client", "add", "a", "--no-secret", "--expires", "1d"}},
		{"stands in the configuration", []string{"client", "add", "batch"}},
		{"stands in the configuration", []string{"client", "disable", "batch"}},
		{"expected a client_id", []string{"client", "remove", ""}},
		{"no such client", []string{"client", "show", "nobody"}},
		{"no such client", []string{"client", "show", "."}},
		{"no such client", []string{"client", "show", ".."}},
		{"no such client", []string{"secret", "add", "nobody"}},
		{"no such secret", []string{"secret", "remove", "other", "."}},
		{"no such secret", []string{"secret", "remove", "other", ".."}},
		{"no such secret", []string{"secret", "remove", "other", "1/../1"}},
		{"expected a secret_id", []string{"secret", "remove", "batch", ""}},
		{"accepts 2 arg", []string{"secret", "remove", "batch"}},
	} {
		out, printed, err := s.run(c.arguments...)
		if err == nil || out != "" || !strings.Contains(printed, c.says) {
			t.Errorf("%v: %v\n%s\n%s", c.arguments, err, out, printed)
		}
	}
	if out := s.mustRun("secret", "list", "other"); !strings.Contains(out, "\n1  ") {
		t.Errorf("something was removed: %s", out)
	}
}
