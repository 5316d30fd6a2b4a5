package caddymodule_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/caddymodule"
)

func TestCommandReport(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	s.feed()
	out, printed, err := caddymodule.Command("report", "--address", s.admin)
	if err != nil || printed != "" {
		t.Fatalf("%v %s", err, printed)
	}
	for _, want := range []string{
		"2 requests refused, and 1 passed that would have been refused.\n",
		"GATE ", "RULE OR PATH", `192.0.2.7 "<curl>%1B[31m"`, "no_token", "/health", "insufficient_scope",
		"\nscopes admin\n", "\n# public GET /health\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	// The other ways to say where Caddy is, and what to show.
	path := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(path, []byte("{\n\tadmin "+s.admin+"\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, err = caddymodule.Command("report", "--config", path, "--adapter", "caddyfile", "--gate", "https://other.example")
	if err != nil || strings.Count(out, "\n") != 1 || !strings.Contains(out, "0 requests refused, and 0 passed") {
		t.Errorf("%s %v", out, err)
	}
	out, _, err = caddymodule.Command("report", "--address", s.admin, "--json", "--reset")
	if err != nil || !strings.HasPrefix(out, `{"since":"2`) || !strings.Contains(out, `"client_id":"batch"`) {
		t.Errorf("%s %v", out, err)
	}
	if rows := s.rows("GET", "/oauth2/report"); len(rows) != 0 {
		t.Errorf("after --reset: %v", rows)
	}
}

// An error is on the standard error alone, says what is wrong, and ends the
// program with 1: whatever Execute returns, caddycmd makes that of it.
func TestCommandErrors(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload("", "respond ok")
	for _, c := range []struct {
		says      string
		arguments []string
	}{
		{"127.0.0.1:1", []string{"report", "--address", "127.0.0.1:1"}},
		{"nowhere/Caddyfile", []string{"report", "--config", "nowhere/Caddyfile"}},
		{"unknown flag", []string{"report", "--nonsense"}},
		{`"nonsense"`, []string{"report", "nonsense"}},
		{`unknown command "nonsense"`, []string{"nonsense"}},
		{"invalid admin address", []string{"report", "--address", "127.0.0.1:1-3"}},
	} {
		out, printed, err := caddymodule.Command(c.arguments...)
		if err == nil || out != "" || !strings.Contains(printed, c.says) {
			t.Errorf("%v: %v\n%s\n%s", c.arguments, err, out, printed)
		}
	}
	out, _, err := caddymodule.Command()
	if err != nil || !strings.Contains(out, "report") {
		t.Errorf("without a command: %v %s", err, out)
	}
}
