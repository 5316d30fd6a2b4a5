package caddymodule_test

import (
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/caddymodule"
)

// The commands show what the endpoint answers, for people and for scripts.
func TestCommandKey(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	run := func(arguments ...string) string {
		t.Helper()
		out, printed, err := caddymodule.Command(append([]string{"key"}, append(arguments, "--address", s.admin)...)...)
		if err != nil || printed != "" {
			t.Fatalf("%v: %v %s", arguments, err, printed)
		}
		return out
	}
	first, _ := s.keys()
	if out := run("list"); !strings.Contains(out, first[0].Kid+"  ES256  active  20") || !strings.Contains(out, "FORGOTTEN\n") || !strings.HasSuffix(out, "  -            -\n") {
		t.Error(out)
	}
	if out := run("rotate"); !strings.HasPrefix(out, "Made key ") {
		t.Error(out)
	}
	if out := run("rotate"); !strings.HasPrefix(out, "None was made: there is key ") {
		t.Error(out)
	}
	keys, _ := s.keys()
	if out := run("list", "--json"); !strings.HasPrefix(out, `{"keys":[{"kid":"`+keys[0].Kid+`"`) {
		t.Error(out)
	}
	if out := run("revoke", keys[0].Kid); !strings.HasPrefix(out, "Revoked key "+keys[0].Kid) || !strings.Contains(out, keys[1].Kid) {
		t.Error(out)
	}
	if out := run("revoke", keys[1].Kid, "--json"); !strings.HasPrefix(out, `{"revoked":"`+keys[1].Kid+`","new":"`) {
		t.Error(out)
	}
	for says, arguments := range map[string][]string{
		"there is no key": {"revoke", keys[0].Kid},
		"expected a kid":  {"revoke", ""},
		"accepts 1 arg":   {"revoke"},
		"unknown command": {"rotate", "x"},
	} {
		out, printed, err := caddymodule.Command(append([]string{"key"}, append(arguments, "--address", s.admin)...)...)
		if err == nil || out != "" || !strings.Contains(printed, says) {
			t.Errorf("%v: %v\n%s\n%s", arguments, err, out, printed)
		}
	}
}
