package caddymodule

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// With the keys of a trusted issuer its tokens are judged in full: good ones
// pass, and those that another key has signed do not.
func TestExplainWithJWKS(t *testing.T) {
	folder, _ := stored(t, "batch")
	t.Setenv("STORAGE", folder)
	path := writeCaddyfile(t, "OPTIONS\napi.example.com {\n\toauth2_gate {\n\t\tissuers https://login.example.org\n"+
		"\t\tresource https://api.example.com\n\t}\n\treverse_proxy 127.0.0.1:9000\n}\n")
	key, other := tokentest.NewKey(t, "ES256"), tokentest.NewKey(t, "ES256")
	jwks := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(jwks, []byte(tokentest.Set(t, key)), 0o600); err != nil {
		t.Fatal(err)
	}
	for signer, want := range map[*tokentest.Key]string{&key: "0", &other: "2"} {
		raw := signer.Sign(t, tokentest.Members{"typ": "at+jwt", "kid": key.Thumbprint(t)}, tokentest.Members{
			"iss": "https://login.example.org", "sub": "svc", "aud": explainIssuer, "client_id": "svc",
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "jti": "x",
		})
		status, stdout, stderr := oauth2(t, "explain", "--config", path, "--adapter", "caddyfile", "--token", raw,
			"--request", "GET https://api.example.com/", "--jwks", "https://login.example.org="+jwks)
		if status != want {
			t.Errorf("status %s, want %s\n%s%s", status, want, stdout, stderr)
		}
	}
	status, stdout, _ := oauth2(t, "explain", "--config", path, "--adapter", "caddyfile",
		"--request", "GET https://api.example.com/", "--jwks", "https://nobody.example="+jwks)
	if status != "1" || stdout != "" {
		t.Errorf("keys of nobody: status %s\n%s", status, stdout)
	}
}
