package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
)

// Each command of the runbook does what the page says, one after the other, as in
// an incident.
func TestIncidentsPage(t *testing.T) {
	t.Parallel()
	p := newPage(t)
	p.words = [][2]string{
		{"/var/log/caddy/", t.TempDir() + "/"}, {"localhost:2019", p.admin},
		{"/var/lib/caddy/.local/share/caddy", p.storage()}, {"/etc/caddy/Caddyfile", p.caddyfile()},
	}
	for _, client := range []string{"nightly-batch", "shop"} {
		writeFile(t, filepath.Join(p.etc, "clients", client+".secret"), fmt.Sprintf("%s-%s\n", batchSecret, client))
	}
	curlrc := filepath.Join(p.home, ".curlrc")
	writeFile(t, curlrc, fmt.Sprintf("connect-to = \"%[1]s:%[1]s\"\n", p.admin)+readFile(t, curlrc))
	p.says(t, fmt.Sprintf("export CADDY_ADMIN=%s; caddy() { %s \"$@\"; }", p.admin, caddyBinary), "")
	p.follow(t, "incidents.md", map[string]func(*testing.T){
		"A client's secret has leaked. What do I do?": func(t *testing.T) {
			p.says(t, `before=$(token nightly-batch); old=$(cat `+p.etc+`/clients/nightly-batch.secret)`, "")
		},
	}, map[string]func(*testing.T){
		"A client's secret has leaked. What do I do?": func(t *testing.T) {
			p.says(t, `try "$before"`, "401")
			p.says(t, `curl -s -o /dev/null -w '%{http_code}' -u "nightly-batch:$old" -d grant_type=client_credentials https://api.example.com/oauth2/token`, "401")
		},
		"A signing key has leaked. What do I do?": func(t *testing.T) {
			p.says(t, `for kid in $all; do curl -s https://api.example.com/oauth2/jwks | grep -c "$kid"; done`, "0\n0")
		},
	})
}
