package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// enforcing is the page that leads from an open API to an enforced one.
const enforcing = "enforcing.md"

// callers sends what the API's callers send all day; each call says its status.
// The report's times, and the address that all callers have here, become those of
// the page.
const callers = `
caddy() { BINARY "$@" | sed -E 's/20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/2026-03-01T09:00:00Z/g; s/127\.0\.0\.1/192.0.2.7/g'; }
token() { command curl -s -u "$1:$(cat ETC/secrets/$1)" -d grant_type=client_credentials https://api.example.com/oauth2/token | jq -r .access_token; }
call() { command curl -s -o /dev/null -w '%{http_code}\n' "$@"; }
as() { local who=$1; shift; call -H "Authorization: Bearer $(token "$who")" "$@"; }
clients() {
	as nightly-batch https://api.example.com/orders
	as nightly-batch https://api.example.com/customers/17
	as nightly-batch https://api.example.com/customers/18
	as nightly-batch -I https://api.example.com/customers/18
	as shop https://api.example.com/orders/17
	for i in 1 2 3 4 5; do as shop -d '{}' https://api.example.com/orders; done
}
uptime() { for i in 1 2 3; do call -A uptime/2 https://api.example.com/health; done; }
importer() { for i in 1 2; do call -A importer/1.2 -d '{}' https://api.example.com/orders; done; }
statuses() { sort | uniq -c | tr -s ' \n' ' '; }
`

// The page leads from an open API to an enforced one: every command prints what
// the page says, legitimate callers pass at every step, and the rest is refused
// at the end.
func TestEnforcing(t *testing.T) {
	t.Parallel()
	p := newPage(t)
	secrets := filepath.Join(p.etc, "secrets")
	if err := os.Mkdir(secrets, 0o700); err != nil {
		t.Fatal(err)
	}
	for i, client := range []string{"nightly-batch", "shop", "importer"} {
		writeFile(t, filepath.Join(secrets, client), fmt.Sprintf("%s-%d\n", batchSecret, i))
	}
	writeFile(t, filepath.Join(p.etc, "orders.yaml"), blockOf(t, enforcing, "What if I have an OpenAPI document?", "yaml"))
	p.words = [][2]string{{"localhost:2019", p.admin}}
	curlrc := filepath.Join(p.home, ".curlrc")
	writeFile(t, curlrc, fmt.Sprintf("connect-to = \"%[1]s:%[1]s\"\n", p.admin)+readFile(t, curlrc))
	p.says(t, "export CADDY_ADMIN="+p.admin, "")
	p.says(t, replace(callers, "ETC", p.etc, "BINARY", caddyBinary), "")

	traffic := func(commands, statuses string) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			p.says(t, "{ "+commands+"; } | statuses", statuses)
		}
	}
	p.follow(t, enforcing, map[string]func(*testing.T){
		"Who breaks if I enforce today?": traffic("clients; uptime; importer", "15 200"),
		"Who is still in it?":            traffic("clients; uptime; importer", "15 200"),
		"When is it time?": func(t *testing.T) {
			p.says(t, "caddy oauth2 report --reset >/dev/null", "")
			traffic("clients; uptime; as importer -d '{}' https://api.example.com/orders", "14 200")(t)
		},
		"What does my document not say?": func(t *testing.T) {
			p.says(t, "caddy oauth2 report --reset >/dev/null", "")
			traffic("clients; uptime", "13 200")(t)
		},
	}, map[string]func(*testing.T){
		"Who breaks if I enforce today?": p.suggestedLinesStand,
		"How do I enforce?": func(t *testing.T) {
			traffic("clients; uptime; as importer -d '{}' https://api.example.com/orders", "14 200")(t)
			p.upstream.drain()
			traffic("call -A stranger/1 https://api.example.com/orders; as shop https://api.example.com/customers/1", "1 401 1 403")(t)
			p.upstream.silent(t)
		},
		"Who is refused now?": p.refusalIsFound,
	})
	p.says(t, "sed -i 's|^  /orders:|  /customers/{id}:\\n    get: {parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {\"200\": {description: one}}}\\n&|' "+p.etc+"/orders.yaml", "")
	if err := p.await("a changed file was read again", patience); err != nil {
		t.Fatal(err)
	}
	p.says(t, "caddy oauth2 report --reset >/dev/null", "")
	p.says(t, "clients >/dev/null; caddy oauth2 report | head -1",
		"Since 2026-03-01T09:00:00Z: 0 requests refused, and 1 passed that would have been refused.") // GET /orders/17
}

// suggestedLinesStand checks that what is printed to be pasted is in the next
// Caddyfile of the page; the reader may have decided otherwise of a scope.
func (p *page) suggestedLinesStand(t *testing.T) {
	t.Helper()
	suggested := p.adminGet(t, "/oauth2/report?format=caddyfile")
	next := blockOf(t, enforcing, "What do I do with the suggested lines?", "caddyfile")
	count := 0
	for line := range strings.Lines(suggested) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		count++
		if line = strings.Replace(line, "/customers/{id} orders:read", "/customers/{id} customers:read", 1); !strings.Contains(next, "\t"+line+"\n") {
			t.Errorf("the next Caddyfile has no line %q", line)
		}
	}
	if count != 2 {
		t.Errorf("%d lines:\n%s", count, suggested)
	}
	// Pasted as they are, all in one place each, they make a Caddyfile that loads.
	client, gate, found := strings.Cut(suggested, "\n\n")
	if !found {
		t.Fatal(suggested)
	}
	text := blockOf(t, enforcing, "How do I watch without refusing anybody?", "caddyfile")
	text = strings.Replace(text, "secret {file./etc/caddy/secrets/shop}\n", "secret {file./etc/caddy/secrets/shop}\n"+client+"\n", 1)
	text = strings.Replace(text, "report_only\n", gate+"\n", 1)
	p.serve(t, text)
	p.says(t, "{ clients; uptime; importer; } | statuses", "10 200 5 401")
}

// refusalIsFound finds the line of a refusal by what its caller was told.
func (p *page) refusalIsFound(t *testing.T) {
	t.Helper()
	id, status := p.shell.run(t, "command curl -s https://api.example.com/orders | jq -r .error_id")
	if id = strings.TrimSpace(id); status != "0" || len(id) != 36 {
		t.Fatalf("error_id %q", id)
	}
	if err := p.await(`"error_id":"`+id+`"`, patience); err != nil {
		t.Error(err)
	}
	if metrics := p.adminGet(t, "/metrics"); !contains(metrics, "caddy_oauth2_requests_refused_total{") {
		t.Error("the metric that the page names is missing")
	}
}
