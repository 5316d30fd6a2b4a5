package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
)

// The commands of the page need no running Caddy of their own, and do what it
// says: the hash lets the secret in, and the token passes the gate.
func TestSecretsPage(t *testing.T) {
	t.Parallel()
	p := newPage(t)
	p.says(t, fmt.Sprintf("caddy() { HTTPS_PROXY=%s SSL_CERT_FILE=%s %s \"$@\"; }",
		p.proxy(t), filepath.Join(p.etc, "ca.crt"), caddyBinary), "")
	p.follow(t, "secrets.md", nil, map[string]func(*testing.T){
		"How do I hash a secret?": func(t *testing.T) {
			p.says(t, "caddy oauth2 hash-secret hunter2-hunter2-hunter2 2>&1 | grep -c 'list of processes'", "1")
		},
		"How do I get a token by hand?": func(t *testing.T) {
			p.says(t, "caddy oauth2 token get --issuer https://api.example.com/ --client-id a --client-secret @nightly-batch.secret >out 2>err; echo $?; cat out", "1")
			p.says(t, "grep -c 'issuer: expected https://api.example.com/, found' err", "1")
		},
	})
}
