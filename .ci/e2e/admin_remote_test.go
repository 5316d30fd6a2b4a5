package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// operatorCertificate is one with which an operator comes to Caddy's remote admin
// endpoint.
func operatorCertificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// remoteAdmin is a Caddy with a remote admin endpoint.
type remoteAdmin struct {
	*instance
	address string
}

// launchRemoteAdmin runs one that lets holders of certificates use methods on
// clients, and nothing else.
func launchRemoteAdmin(t *testing.T, access ...map[string]any) *remoteAdmin {
	t.Helper()
	c := prepare(t, gateCaddyfile, "BATCH_SECRET="+batchSecret)
	adapted := c.command(t, "adapt", "--config", c.caddyfile())
	var config map[string]any
	if err := json.Unmarshal([]byte(adapted.stdout), &config); err != nil {
		t.Fatal(adapted.all(), err)
	}
	remote := &remoteAdmin{c, fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	config["admin"] = map[string]any{
		"listen":   c.admin,
		"identity": map[string]any{"identifiers": []string{"localhost"}, "issuers": []map[string]any{{"module": "internal"}}},
		"remote":   map[string]any{"listen": remote.address, "access_control": access},
	}
	changed, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	c.configure(t, "{\n admin {$ADMIN}\n}\n")
	c.start(t)
	path := filepath.Join(c.folder, "caddy.json")
	writeFile(t, path, string(changed))
	if got := c.command(t, "reload", "--config", path, "--address", c.admin); got.code != 0 {
		t.Fatal(got.all())
	}
	return remote
}

// may is what the holder of a certificate is allowed.
func may(certificate tls.Certificate, methods ...string) map[string]any {
	return map[string]any{
		"public_keys": []string{base64.StdEncoding.EncodeToString(certificate.Certificate[0])},
		"permissions": []map[string]any{{"paths": []string{"/oauth2/clients"}, "methods": methods}},
	}
}

// ask sends a request with a certificate.
func (r *remoteAdmin) ask(t *testing.T, certificate tls.Certificate, method, path, body string) (int, error) {
	t.Helper()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		ServerName: "localhost", Certificates: []tls.Certificate{certificate}, InsecureSkipVerify: true, //nolint:gosec // Caddy's own certificate is not what is tested
	}}}
	request, err := http.NewRequestWithContext(t.Context(), method, "https://"+r.address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, nil
}

// Caddy's rules of who may do what at its remote admin endpoint hold for ours, and
// the audit log names whose certificate it was.
func TestRemoteAdminAccess(t *testing.T) {
	t.Parallel()
	reader, writer, stranger := operatorCertificate(t, "reader"), operatorCertificate(t, "writer"), operatorCertificate(t, "stranger")
	c := launchRemoteAdmin(t, may(reader, "GET"), may(writer, "GET", "POST"))
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) { // Caddy makes its certificate in the background
		if _, err := c.ask(t, reader, "GET", "/oauth2/clients", ""); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	for _, one := range []struct {
		who                tls.Certificate
		method, path, body string
		status             int
	}{
		{reader, "GET", "/oauth2/clients", "", 200},
		{reader, "POST", "/oauth2/clients", `{"client_id":"job"}`, 403},
		{reader, "GET", "/oauth2/keys", "", 403},
		{writer, "POST", "/oauth2/clients", `{"client_id":"job"}`, 201},
		{writer, "DELETE", "/oauth2/clients/job", "", 403},
		{writer, "POST", "/oauth2/keys/rotate", "", 403},
	} {
		if status, err := c.ask(t, one.who, one.method, one.path, one.body); status != one.status {
			t.Errorf("%s %s: %d %v, expected %d", one.method, one.path, status, err, one.status)
		}
	}
	if status, err := c.ask(t, stranger, "GET", "/oauth2/clients", ""); err == nil {
		t.Errorf("a stranger got %d", status)
	}
	if log := c.output.String(); !strings.Contains(log, `"certificate":"CN=writer"`) || strings.Contains(log, `"certificate":"CN=reader"`) {
		t.Error("the audit log does not name the writer alone")
	}
}
