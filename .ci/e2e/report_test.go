package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// reportCaddyfile has a gate with a rule.
const reportCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost:{$PORT}
		client reader {
			secret {env.BATCH_SECRET}
			scopes orders:read orders:write
		}
	}
}
http://localhost:{$PORT} {
	oauth2_issuer
	oauth2_gate {
		require GET /orders orders:read
	}
	reverse_proxy {$UPSTREAM}
}
`

// reportOf asks the running Caddy for the report as JSON.
func (c *instance) reportOf(t testing.TB, flags ...string) (rows []map[string]any) {
	t.Helper()
	got := c.command(t, append([]string{"oauth2", "report", "--json", "--address", c.admin}, flags...)...)
	var answer struct {
		Rows []map[string]any `json:"rows"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &answer); err != nil || got.code != 0 || answer.Rows == nil {
		t.Fatalf("status %d, %v\n%s", got.code, err, got.all())
	}
	return answer.Rows
}

// The command finds the running Caddy as `caddy reload` does; its result is on
// the standard output, and an error on the standard error with status 1.
func TestReportCommand(t *testing.T) {
	t.Parallel()
	c := launch(t, reportCaddyfile, "BATCH_SECRET="+batchSecret)
	for _, flags := range [][]string{
		{"--address", c.admin},
		{"--config", c.caddyfile()},
		{"--config", c.caddyfile(), "--adapter", "caddyfile", "--reset"},
	} {
		got := c.command(t, append([]string{"oauth2", "report"}, flags...)...)
		if got.code != 0 || !strings.HasPrefix(got.stdout, "Since 2") || !strings.Contains(got.stdout, " requests refused") {
			t.Errorf("%v: status %d\n%s", flags, got.code, got.all())
		}
	}
	c.reportOf(t)
	for _, arguments := range [][]string{
		{"oauth2", "report", "--address", "127.0.0.1:1"},
		{"oauth2", "report", "--nonsense"},
		{"oauth2", "nonsense"},
	} {
		got := c.command(t, arguments...)
		if got.code != 1 || got.stdout != "" || got.stderr == "" {
			t.Errorf("%v: status %d\n%s\n%s", arguments, got.code, got.stdout, got.stderr)
		}
	}
	c.env = append(c.env, "CADDY_ADMIN="+c.admin)
	if got := c.command(t, "oauth2", "report"); got.code != 0 {
		t.Errorf("CADDY_ADMIN: status %d\n%s", got.code, got.all())
	}
}
