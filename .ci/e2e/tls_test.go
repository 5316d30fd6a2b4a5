package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const tlsCaddyfile = `{
	admin {$ADMIN}
	auto_https disable_redirects
	oauth2 {
		issuer https://localhost:{$PORT}
		client "team a:b%c+d" {
			secret {env.ODD_SECRET}
			scopes orders:read orders:write
		}
		client plain {
			secret {env.PLAIN_SECRET}
			scopes orders:read
		}
	}
}

https://localhost:{$PORT} {
	bind 127.0.0.1
	tls {$FOLDER}/server.crt {$FOLDER}/server.key
	oauth2_issuer
	oauth2_gate {
		require GET /orders/ orders:read
		require POST /orders/ orders:write
	}
	reverse_proxy {$UPSTREAM}
}
`

// oddSecret has what clients and servers escape in different ways, and what
// Caddy must not take for a placeholder.
const oddSecret = "p%q+r s:ü&=/?#\"'\\ {env.HOME} {$HOME} %41 日本"

const plainSecret = "plain-secret-for-tests"

// launchTLS starts an instance with a certificate of a CA that the pool has.
func launchTLS(t *testing.T) (*instance, *x509.CertPool) {
	t.Helper()
	certificates := t.TempDir()
	pool := makeCertificates(t, certificates)
	return launch(t, tlsCaddyfile, "ODD_SECRET="+oddSecret, "PLAIN_SECRET="+plainSecret, "FOLDER="+certificates), pool
}

// makeCertificates writes ca.crt and ca.key, and server.crt and server.key for the
// hosts of these tests.
func makeCertificates(t *testing.T, folder string) *x509.CertPool {
	t.Helper()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA of a test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost", "mtls.localhost", "any.localhost"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	caKey, serverKey := newKey(t), newKey(t)
	writePEM(t, filepath.Join(folder, "ca.crt"), "CERTIFICATE", certify(t, ca, ca, caKey, caKey))
	writeKey(t, filepath.Join(folder, "ca.key"), caKey)
	writePEM(t, filepath.Join(folder, "server.crt"), "CERTIFICATE", certify(t, server, ca, serverKey, caKey))
	writeKey(t, filepath.Join(folder, "server.key"), serverKey)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(readFile(t, filepath.Join(folder, "ca.crt"))))
	return pool
}

func writeKey(t *testing.T, path string, key *ecdsa.PrivateKey) {
	t.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, path, "PRIVATE KEY", private)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func certify(t *testing.T, template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) []byte {
	t.Helper()
	certificate, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func writePEM(t *testing.T, path, kind string, octets []byte) {
	t.Helper()
	writeFile(t, path, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: octets})))
}

// A client library that many use gets a token and calls the API with it.
func TestOAuth2Library(t *testing.T) {
	t.Parallel()
	c, pool := launchTLS(t)
	base := fmt.Sprintf("https://localhost:%d", c.port)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Transport: transport})
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams, oauth2.AuthStyleAutoDetect} {
		for id, secret := range map[string]string{"team a:b%c+d": oddSecret, "plain": plainSecret} {
			t.Run(fmt.Sprint(id, style), func(t *testing.T) {
				config := clientcredentials.Config{
					ClientID: id, ClientSecret: secret, TokenURL: base + "/oauth2/token", AuthStyle: style, Scopes: []string{"orders:read"},
				}
				token, err := config.Token(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if token.Type() != "Bearer" || token.Extra("scope") != "orders:read" || time.Until(token.Expiry) < 59*time.Minute {
					t.Errorf("%s, scope %v, until %s", token.Type(), token.Extra("scope"), token.Expiry)
				}
				response, err := finish(config.Client(ctx).Get(base + "/orders/17"))
				if err != nil || response.status != 200 {
					t.Fatal(response, err)
				}
				c.upstream.only(t).one(t, "X-Client-Id", id)
				refused, err := finish(config.Client(ctx).Post(base+"/orders", "text/plain", strings.NewReader("x")))
				if err != nil {
					t.Fatal(err)
				}
				refused.wantError(t, 403, "insufficient_scope")
				config.ClientSecret += "x"
				if _, err := config.Token(ctx); err == nil || !strings.Contains(err.Error(), "invalid_client") {
					t.Errorf("a wrong secret: %v", err)
				}
			})
		}
	}
}

// The command line, over TLS 1.2 and 1.3 and HTTP/1.1 and 2.
func TestCurl(t *testing.T) {
	t.Parallel()
	c, _ := launchTLS(t)
	ca := filepath.Join(strings.TrimPrefix(c.env[len(c.env)-1], "FOLDER="), "ca.crt")
	base := fmt.Sprintf("https://localhost:%d", c.port)
	curl := func(arguments ...string) string {
		command := exec.Command("curl", append([]string{"-sS", "-4", "--max-time", "10", "--cacert", ca}, arguments...)...)
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("curl: %v: %s", err, output)
		}
		return string(output)
	}
	for name, arguments := range map[string][]string{
		"Basic": {"-u", "plain:" + plainSecret, "-d", grantForm},
		"post":  {"--http1.1", "-d", grantForm, "--data-urlencode", "client_id=team a:b%c+d", "--data-urlencode", "client_secret=" + oddSecret},
		"TLS12": {"--tls-max", "1.2", "-u", "plain:" + plainSecret, "-d", grantForm},
	} {
		t.Run(name, func(t *testing.T) {
			body := curl(append(arguments, base+"/oauth2/token")...)
			token, _ := answer{body: body}.members(t)["access_token"].(string)
			if token == "" {
				t.Fatal(body)
			}
			if got := curl("-w", " %{http_code}", "-H", bearer(token), base+"/orders"); got != "from the API 200" {
				t.Error(got)
			}
		})
	}
	if got := curl("-o", "-", "-w", " %{http_code}", base+"/orders"); !strings.HasSuffix(got, " 401") {
		t.Error(got)
	}
}

// HTTP/2 has its own ways for headers; the gate's rules are the same.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	c, pool := launchTLS(t)
	base := fmt.Sprintf("https://localhost:%d", c.port)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	config := clientcredentials.Config{ClientID: "team a:b%c+d", ClientSecret: oddSecret, TokenURL: base + "/oauth2/token"}
	token, err := config.Token(context.WithValue(context.Background(), oauth2.HTTPClient, client))
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, base+"/orders", io.NopCloser(strings.NewReader("body")))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token.AccessToken)
	request.Header["x_client_id"] = []string{"admin"}
	request.Header["X-Client-Id"] = []string{"admin", "root"}
	request.Trailer = http.Header{"X-Client-Id": {"admin"}, "X-Fine": {"yes"}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.ProtoMajor != 2 || response.StatusCode != 200 {
		t.Errorf("%s %s", response.Proto, response.Status)
	}
	got := c.upstream.only(t)
	got.one(t, "X-Client-Id", "team a:b%c+d")
	got.none(t, "Authorization")
	if got.body != "body" || len(got.copies("X-Fine")) != 1 {
		t.Errorf("the API heard %q", got)
	}
}
