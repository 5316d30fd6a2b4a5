package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The first site asks for no certificate; the second takes those of a CA, and
// the third takes any.
const mtlsCaddyfile = `{
	admin {$ADMIN}
	auto_https disable_redirects
	oauth2 {
		issuer https://localhost:{$PORT}
		client host {
			tls_client_auth san_dns batch.example
			scopes orders:read
			require mtls
		}
		client name {
			tls_client_auth subject_dn "CN=nightly BATCH,O=Example\, Inc."
			scopes orders:read
		}
		client own {
			self_signed_tls_client_auth {$FOLDER}/own.pem
			scopes orders:read
			require mtls
		}
		client secret {
			secret {env.BATCH_SECRET}
			scopes orders:read
			require mtls
		}
		client plain {
			secret {env.BATCH_SECRET}
			scopes orders:read
		}
	}
}

(api) {
	bind 127.0.0.1
	oauth2_issuer {
		mtls_host https://mtls.localhost:{$PORT}
	}
	oauth2_gate orders:read
	reverse_proxy {$UPSTREAM}
}

https://localhost:{$PORT} {
	tls {$FOLDER}/server.crt {$FOLDER}/server.key
	import api
}

https://mtls.localhost:{$PORT} {
	tls {$FOLDER}/server.crt {$FOLDER}/server.key {
		client_auth {
			mode require_and_verify
			trust_pool file {$FOLDER}/ca.crt
		}
	}
	import api
}

https://any.localhost:{$PORT} {
	tls {$FOLDER}/server.crt {$FOLDER}/server.key {
		client_auth {
			mode request
		}
	}
	import api
}
`

// mtls is an instance and those who connect to it with certificates.
type mtls struct {
	*instance
	folder string
	pool   *x509.CertPool
	certs  map[string]tls.Certificate
}

func launchMTLS(t *testing.T) *mtls {
	t.Helper()
	m := &mtls{folder: t.TempDir(), certs: map[string]tls.Certificate{}}
	m.pool = makeCertificates(t, m.folder)
	name := pkix.Name{CommonName: "Nightly Batch", Organization: []string{"Example, Inc."}}
	m.certify(t, "ours", name, true, "batch.example")
	m.certify(t, "other", pkix.Name{CommonName: "batch.example"}, true, "other.example")
	m.certify(t, "own", name, false, "batch.example")
	m.certify(t, "stranger", name, false, "batch.example")
	m.instance = launch(t, mtlsCaddyfile, "BATCH_SECRET="+batchSecret, "FOLDER="+m.folder)
	return m
}

// certify makes a certificate, by the CA or by its own key, and writes it to
// files.
func (m *mtls) certify(t *testing.T, label string, name pkix.Name, byCA bool, host string) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: name, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	key := newKey(t)
	parent, signer := template, key
	if byCA {
		parent, signer = m.ca(t)
	}
	der := certify(t, template, parent, key, signer)
	writePEM(t, filepath.Join(m.folder, label+".pem"), "CERTIFICATE", der)
	writeKey(t, filepath.Join(m.folder, label+".key"), key)
	m.certs[label] = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (m *mtls) ca(t *testing.T) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	block, _ := pem.Decode([]byte(readFile(t, filepath.Join(m.folder, "ca.crt"))))
	private, _ := pem.Decode([]byte(readFile(t, filepath.Join(m.folder, "ca.key"))))
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(private.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key.(*ecdsa.PrivateKey)
}

// over sends a request to a host, over a connection with a certificate; without
// a label there is none.
func (m *mtls) over(t *testing.T, label, host, method, path, body string, fields ...string) (answer, error) {
	t.Helper()
	config := &tls.Config{RootCAs: m.pool}
	if label != "" {
		config.Certificates = []tls.Certificate{m.certs[label]}
	}
	transport := &http.Transport{
		TLSClientConfig: config, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", m.port))
		},
	}
	request, err := http.NewRequest(method, fmt.Sprintf("https://%s:%d%s", host, m.port, path), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		request.Header.Add(name, value)
	}
	return finish((&http.Client{Transport: transport, Timeout: patience}).Do(request))
}

// ask asks for a token as a client that names itself in the body.
func (m *mtls) ask(t *testing.T, label, host, id string, fields ...string) answer {
	t.Helper()
	got, err := m.over(t, label, host, http.MethodPost, "/oauth2/token", form("grant_type", "client_credentials", "client_id", id), append(fields, formType)...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func tokenOf(t *testing.T, got answer) string {
	t.Helper()
	got.wantStatus(t, 200)
	token, _ := got.members(t)["access_token"].(string)
	return token
}

// A certificate proves who a client is if it is the one that is registered, and
// if Caddy has verified it where its name counts (RFC 8705 section 2).
func TestCertificateAuthenticates(t *testing.T) {
	t.Parallel()
	m := launchMTLS(t)
	for _, c := range []struct {
		label, host, id string
		status          int
	}{
		{"ours", "mtls.localhost", "host", 200},
		{"ours", "mtls.localhost", "name", 200},
		{"own", "any.localhost", "own", 200},
		{"other", "mtls.localhost", "host", 401},   // another name
		{"other", "mtls.localhost", "name", 401},   // another name
		{"ours", "any.localhost", "host", 401},     // nobody has verified it
		{"stranger", "any.localhost", "host", 401}, // anybody can make such a one
		{"stranger", "any.localhost", "name", 401},
		{"stranger", "any.localhost", "own", 401}, // the same name, another key
		{"ours", "mtls.localhost", "own", 401},
		{"ours", "mtls.localhost", "plain", 401}, // registered for a secret
		{"ours", "mtls.localhost", "nobody", 401},
		{"", "localhost", "host", 401},
		{"", "any.localhost", "own", 401},
	} {
		if got := m.ask(t, c.label, c.host, c.id); got.status != c.status {
			t.Errorf("%s at %s as %s: %s", c.label, c.host, c.id, got)
		}
	}
	if _, err := m.over(t, "stranger", "mtls.localhost", http.MethodGet, "/oauth2/jwks", ""); err == nil {
		t.Error("a certificate of no CA was let in")
	}
	if got := m.ask(t, "ours", "mtls.localhost", "plain", basic("plain", batchSecret)); got.status != 200 {
		t.Errorf("a certificate beside Basic and the same client_id: %s", got)
	}
}

// A bound token opens the API over a connection with its own certificate, and
// over no other (RFC 8705 section 3).
func TestCertificateBoundToken(t *testing.T) {
	t.Parallel()
	m := launchMTLS(t)
	token := tokenOf(t, m.ask(t, "ours", "mtls.localhost", "host"))
	_, claims := decode(t, token)
	sum := sha256.Sum256(m.certs["ours"].Certificate[0])
	if bound, _ := claims["cnf"].(map[string]any); bound["x5t#S256"] != base64.RawURLEncoding.EncodeToString(sum[:]) {
		t.Fatalf("cnf: %v", claims["cnf"])
	}
	for _, c := range []struct {
		label, host string
		status      int
	}{
		{"ours", "mtls.localhost", 200}, {"ours", "any.localhost", 200},
		{"other", "mtls.localhost", 401}, {"own", "any.localhost", 401}, {"", "localhost", 401}, {"ours", "localhost", 401},
	} {
		got, err := m.over(t, c.label, c.host, http.MethodGet, "/orders", "", bearer(token))
		if err != nil || got.status != c.status {
			t.Errorf("%s at %s: %s %v", c.label, c.host, got, err)
		}
		if got.status == 401 && !strings.Contains(got.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s at %s: %s", c.label, c.host, got)
		}
	}
	m.ask(t, "", "localhost", "secret", basic("secret", batchSecret)).wantError(t, 400, "invalid_request")
	own := tokenOf(t, m.ask(t, "own", "any.localhost", "secret", basic("secret", batchSecret)))
	if got, err := m.over(t, "own", "any.localhost", http.MethodGet, "/orders", "", bearer(own)); err != nil || got.status != 200 {
		t.Errorf("a certificate that nobody verified binds all the same: %s %v", got, err)
	}
	unbound := tokenOf(t, m.ask(t, "ours", "mtls.localhost", "name"))
	if got, err := m.over(t, "", "localhost", http.MethodGet, "/orders", "", bearer(unbound)); err != nil || got.status != 200 {
		t.Errorf("a token of a client that does not require it is not bound: %s %v", got, err)
	}
}

// The file with a client's certificates is read again when it changes.
func TestCertificateFileChanges(t *testing.T) {
	t.Parallel()
	m := launchMTLS(t)
	both := readFile(t, filepath.Join(m.folder, "own.pem")) + readFile(t, filepath.Join(m.folder, "stranger.pem"))
	writeFile(t, filepath.Join(m.folder, "own.pem"), both)
	if err := m.await("a changed file was read again", patience); err != nil {
		t.Fatal(err)
	}
	m.ask(t, "stranger", "any.localhost", "own").wantStatus(t, 200)
	m.ask(t, "own", "any.localhost", "own").wantStatus(t, 200)
	writeFile(t, filepath.Join(m.folder, "own.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	if err := m.await("a changed file cannot be used", patience); err != nil {
		t.Fatal(err)
	}
	m.ask(t, "stranger", "any.localhost", "own").wantStatus(t, 200)
}

// The metadata names the place for certificates (RFC 8705 section 5).
func TestMTLSMetadata(t *testing.T) {
	t.Parallel()
	m := launchMTLS(t)
	got, err := m.over(t, "", "localhost", http.MethodGet, "/.well-known/oauth-authorization-server", "")
	if err != nil {
		t.Fatal(err)
	}
	members := got.members(t)
	aliases, _ := members["mtls_endpoint_aliases"].(map[string]any)
	if aliases["token_endpoint"] != fmt.Sprintf("https://mtls.localhost:%d/oauth2/token", m.port) || members["tls_client_certificate_bound_access_tokens"] != true {
		t.Errorf("got %s", got)
	}
	methods := fmt.Sprint(members["token_endpoint_auth_methods_supported"])
	if methods != "[client_secret_basic client_secret_post tls_client_auth self_signed_tls_client_auth]" {
		t.Errorf("got %s", methods)
	}
}

// The command line with --cert, as documented.
func TestCurlWithCertificate(t *testing.T) {
	t.Parallel()
	m := launchMTLS(t)
	curl := func(path string, arguments ...string) string {
		t.Helper()
		url := fmt.Sprintf("https://mtls.localhost:%d%s", m.port, path)
		command := exec.Command("curl", append([]string{
			"-sS", "--max-time", "10", "--resolve", fmt.Sprintf("mtls.localhost:%d:127.0.0.1", m.port),
			"--cacert", filepath.Join(m.folder, "ca.crt"),
			"--cert", filepath.Join(m.folder, "ours.pem"), "--key", filepath.Join(m.folder, "ours.key"), url,
		}, arguments...)...)
		printed, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("curl: %v: %s", err, printed)
		}
		return string(printed)
	}
	token := tokenOf(t, answer{status: 200, body: curl("/oauth2/token", "-d", "grant_type=client_credentials", "-d", "client_id=host")})
	if got := curl("/orders", "-H", bearer(token), "-w", " %{http_code}"); got != "from the API 200" {
		t.Error(got)
	}
}
