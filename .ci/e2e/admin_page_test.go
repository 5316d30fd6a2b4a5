package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
)

// newAdminPage makes a page whose commands reach the admin endpoint: with curl, where
// the page has it at Caddy's default address, and as `caddy oauth2 ...`.
func newAdminPage(t *testing.T) *page {
	t.Helper()
	p := newPage(t)
	p.words = [][2]string{{"localhost:2019", p.admin}}
	curlrc := filepath.Join(p.home, ".curlrc")
	writeFile(t, curlrc, fmt.Sprintf("connect-to = \"%s:%s\"\n", p.admin, p.admin)+readFile(t, curlrc))
	p.says(t, fmt.Sprintf("export CADDY_ADMIN=%s; caddy() { HTTPS_PROXY=%s SSL_CERT_FILE=%s %s \"$@\"; }",
		p.admin, p.proxy(t), filepath.Join(p.etc, "ca.crt"), caddyBinary), "")
	writeFile(t, filepath.Join(p.etc, "clients", "nightly-batch.secret"), batchSecret+"\n")
	return p
}

// Each command of the page does what it says, and leaves no secret behind.
func TestAdminPage(t *testing.T) {
	t.Parallel()
	p := newAdminPage(t)
	p.follow(t, "admin-api.md", nil, map[string]func(*testing.T){
		"How do I remove a client?": func(t *testing.T) {
			p.says(t, `curl -s -o /dev/null -w '%{http_code}\n' -H "Authorization: Bearer $first" https://api.example.com/orders`, "401")
			p.says(t, "grep -rlF \"$secret\" "+p.storage()+" || echo nowhere", "nowhere")
		},
	})
}

// The page's order of steps interrupts no job, and ends what it says it ends.
func TestRotationPage(t *testing.T) {
	t.Parallel()
	p := newAdminPage(t)
	p.follow(t, "rotation.md", nil, nil)
}
