package caddymodule

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// certificateFile writes a certificate and returns what a token is bound to by it.
func certificateFile(t *testing.T) (path, thumbprint string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "client.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, proof.Thumbprint(certificate)
}

// boundSite has a gate and no more.
const boundSite = "OPTIONS\napi.example.com {\n\toauth2_gate orders:read\n\treverse_proxy 127.0.0.1:9000\n}\n"

// A token that is bound to a certificate passes with that one alone.
func TestExplainWithCertificate(t *testing.T) {
	folder, signer := stored(t, "batch")
	t.Setenv("STORAGE", folder)
	right, thumbprint := certificateFile(t)
	wrong, _ := certificateFile(t)
	path := writeCaddyfile(t, boundSite)
	raw := explainToken(t, signer, "scope=orders:read x5t="+thumbprint)
	for name, test := range map[string]struct {
		url, status, says string
		flags             []string
	}{
		"right":        {"https://api.example.com/", "0", "certificate  passed", []string{"--cert", right}},
		"wrong":        {"https://api.example.com/", "2", "certificate  failed", []string{"--cert", wrong}},
		"none":         {"https://api.example.com/", "2", "certificate  failed", nil},
		"without TLS":  {"http://api.example.com/", "2", "308 from the redirect to https", []string{"--cert", right}},
		"the key's":    {"https://api.example.com/", "1", "expected a certificate in PEM", []string{"--cert", keyFile(t)}},
		"no such file": {"https://api.example.com/", "1", "--cert", []string{"--cert", right + ".x"}},
	} {
		status, stdout, stderr := oauth2(t, append([]string{
			"explain", "--config", path, "--adapter", "caddyfile", "--token", raw, "--request", "GET " + test.url,
		}, test.flags...)...)
		if status != test.status || !strings.Contains(steady(stdout+stderr), test.says) || strings.Contains(stdout+stderr, raw) {
			t.Errorf("%s: status %s\n%s%s", name, status, stdout, stderr)
		}
	}
}

// keyFile has a private key in PEM, of which nothing may be shown.
func keyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("hush")}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A good proof passes as often as one asks, for it is not marked as used; one that is
// for something else does not.
func TestExplainWithProof(t *testing.T) {
	folder, signer := stored(t, "batch")
	t.Setenv("STORAGE", folder)
	path := writeCaddyfile(t, boundSite)
	key, other := tokentest.NewKey(t, "ES256"), tokentest.NewKey(t, "ES256")
	raw := explainToken(t, signer, "scope=orders:read jkt="+key.Thumbprint(t))
	sum := sha256.Sum256([]byte(raw))
	good := tokentest.Members{
		"htm": "GET", "htu": "https://api.example.com/orders/17", "iat": time.Now().Unix(), "jti": "one-of-a-kind",
		"ath": base64.RawURLEncoding.EncodeToString(sum[:]),
	}
	before := contents(t, folder)
	for _, test := range []struct{ name, proof, status string }{
		{"good", key.Proof(t, good), "0"},
		{"good again", key.Proof(t, good), "0"},
		{"another key", other.Proof(t, good), "2"},
		{"another method", key.Proof(t, good.With(tokentest.Members{"htm": "POST"})), "2"},
		{"another url", key.Proof(t, good.With(tokentest.Members{"htu": "https://api.example.com/orders/18"})), "2"},
		{"another token", key.Proof(t, good.With(tokentest.Members{"ath": "x"})), "2"},
		{"old", key.Proof(t, good.With(tokentest.Members{"iat": time.Now().Unix() - 600})), "2"},
	} {
		status, stdout, stderr := oauth2(t, "explain", "--config", path, "--adapter", "caddyfile", "--token", raw,
			"--header", "DPoP: "+test.proof, "--request", "GET https://api.example.com/orders/17?page=2")
		dpop := map[string]string{"0": "dpop  passed", "2": "dpop  failed"}[test.status]
		if status != test.status || !strings.Contains(steady(stdout), dpop) || !strings.Contains(stdout, "it is not marked as used") {
			t.Errorf("%s: status %s\n%s%s", test.name, status, stdout, stderr)
		}
		if strings.Contains(stdout+stderr, raw) || strings.Contains(stdout+stderr, test.proof) {
			t.Errorf("%s: the token or the proof is printed", test.name)
		}
	}
	if after := contents(t, folder); len(after) != len(before) {
		t.Errorf("files: %v", after)
	}
}
