package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// recipes is the page on client authentication.
const recipes = "client-authentication.md"

const tokenStatus = `curl -s -o /dev/null -w '%{http_code}' -d grant_type=client_credentials `

// The recipes for client authentication do what they say, and refuse what they
// must.
func TestRecipes(t *testing.T) {
	t.Parallel()
	p := newPage(t)
	writeFile(t, filepath.Join(p.etc, "clients", "nightly-batch.secret"), batchSecret+"\n")
	// jwks_uri: the client's own server, here over http on loopback.
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(p.home, "batch.jwks"))
	}))
	t.Cleanup(keys.Close)
	p.words = [][2]string{{"https://batch.example.net", keys.URL}}
	front := p.behindProxy(t)
	p.follow(t, recipes, map[string]func(*testing.T){
		"What if there is another proxy in front?":                      func(t *testing.T) { p.connect(t, front) },
		"How do clients authenticate for introspection and revocation?": func(t *testing.T) { p.connect(t, p.port) },
	}, map[string]func(*testing.T){
		"What does the client send?":                                p.assertionRefused,
		"How do I ask for certificates only on the token endpoint?": p.certificateAtTokenEndpoint,
		"How do I require a certificate at the API?":                p.certificateAtAPI,
		"What if my clients have no CA?":                            p.certificateWithoutCA,
		"What does that look like with curl?":                       p.proofRefused,
		"What does that look like in a program?":                    p.program,
		"What if there is another proxy in front?":                  p.withoutExternalURL,
	})
}

// An assertion passes once, and for nobody else.
func (p *page) assertionRefused(t *testing.T) {
	const with = `-d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer `
	p.says(t, `once=$(assertion batch-1.pem nightly-batch https://api.example.com)
for try in 1 2; do `+tokenStatus+with+`-d client_assertion="$once" https://api.example.com/oauth2/token; done`, "200401")
	p.says(t, tokenStatus+with+`-d client_assertion="$(assertion batch-1.pem nightly-batch https://other.example.com)" https://api.example.com/oauth2/token`, "401")
	p.says(t, `openssl genpkey -algorithm ed25519 -out thief.pem
`+tokenStatus+with+`-d client_assertion="$(assertion thief.pem nightly-batch https://api.example.com)" https://api.example.com/oauth2/token`, "401")
}

// makeOthers makes, with the page's own commands, a certificate of the same CA
// with another name, the client's next one, and one with its name from nobody.
const makeOthers = `
make() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout $1.key -out $1.csr -subj "$2" 2>/dev/null
	openssl x509 -req -in $1.csr -CA clients-ca.crt -CAkey clients-ca.key -CAcreateserial -days 90 \
		-extfile <(printf 'extendedKeyUsage=clientAuth\nsubjectAltName=DNS:batch.example.net\n') -out $1.crt 2>/dev/null
}
make other '/O=Example, Inc./CN=other'
make next '/O=Example, Inc./CN=nightly-batch'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 30 \
	-keyout forged.key -out forged.crt -subj '/O=Example, Inc./CN=nightly-batch' 2>/dev/null
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
ask() { status -d grant_type=client_credentials -d client_id=nightly-batch "$@"; }
`

func (p *page) certificateAtTokenEndpoint(t *testing.T) {
	p.says(t, makeOthers, "")
	for command, expected := range map[string]string{
		`ask --cert other.crt --key other.key https://mtls.example.com/oauth2/token`:                                "401",
		`ask --cert next.crt --key next.key https://mtls.example.com/oauth2/token`:                                  "200",
		`ask --cert forged.crt --key forged.key https://mtls.example.com/oauth2/token`:                              "000", // no connection
		`ask https://mtls.example.com/oauth2/token`:                                                                 "000",
		`ask https://api.example.com/oauth2/token`:                                                                  "401",
		`ask --cert batch.crt --key batch.key https://api.example.com/oauth2/token`:                                 "401", // not asked for there
		`status https://api.example.com/oauth2/jwks`:                                                                "200",
		`status --cert batch.crt --key batch.key -H "Authorization: Bearer $TOKEN" https://mtls.example.com/orders`: "404",
		`status https://api.example.com/orders`:                                                                     "401",
	} {
		p.says(t, command, expected)
	}
	// Who connects to the one site must not ask the other.
	request, err := http.NewRequest(http.MethodPost, fmt.Sprintf("https://127.0.0.1:%d/oauth2/token", p.port), strings.NewReader(grantForm))
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "mtls.example.com"
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{ServerName: "api.example.com", RootCAs: p.pool}}
	if got, err := finish((&http.Client{Transport: transport, Timeout: patience}).Do(request)); err != nil || got.status != http.StatusMisdirectedRequest {
		t.Errorf("another host than that of the connection: %s %v", got, err)
	}
	p.says(t, `curl -s https://api.example.com/.well-known/oauth-authorization-server | grep -o '"mtls_endpoint_aliases":{"token_endpoint":"[^"]*"'`,
		`"mtls_endpoint_aliases":{"token_endpoint":"https://mtls.example.com/oauth2/token"`)
	p.says(t, `curl -s --cert batch.crt --key batch.key https://mtls.example.com/.well-known/oauth-authorization-server | grep -c '"issuer":"https://api.example.com"'`, "1")
}

func (p *page) certificateAtAPI(t *testing.T) {
	for command, expected := range map[string]string{
		`status -H "Authorization: Bearer $TOKEN" https://api.example.com/orders`:                                    "000",
		`status --cert forged.crt --key forged.key -H "Authorization: Bearer $TOKEN" https://api.example.com/orders`: "000",
		`status --cert other.crt --key other.key -H "Authorization: Bearer $TOKEN" https://api.example.com/orders`:   "401",
		`status --cert next.crt --key next.key -H "Authorization: Bearer $TOKEN" https://api.example.com/orders`:     "401", // needs a new token
		`status --cert batch.crt --key batch.key https://api.example.com/orders`:                                     "401",
		`ask --cert other.crt --key other.key https://api.example.com/oauth2/token`:                                  "401",
		`status https://api.example.com/oauth2/jwks`:                                                                 "000",
		`status --cert batch.crt --key batch.key https://api.example.com/oauth2/jwks`:                                "200",
	} {
		p.says(t, command, expected)
	}
	// With verify_if_given, those without a certificate connect and are refused.
	lenient := strings.Replace(blockOf(t, recipes, "How do I require a certificate at the API?", "caddyfile"), "require_and_verify", "verify_if_given", 1)
	p.serve(t, lenient)
	p.says(t, `status https://api.example.com/oauth2/jwks`, "200")
	p.says(t, `status -H "Authorization: Bearer $TOKEN" https://api.example.com/orders`, "401")
	p.says(t, `status --cert batch.crt --key batch.key -H "Authorization: Bearer $TOKEN" https://api.example.com/orders`, "200")
	p.says(t, `ask https://api.example.com/oauth2/token`, "401")
}

func (p *page) certificateWithoutCA(t *testing.T) {
	const ask = `status -d grant_type=client_credentials -d client_id=partner https://api.example.com/oauth2/token `
	p.says(t, `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 30 -keyout partner-2.key -out partner-2.crt -subj /CN=partner 2>/dev/null`, "")
	p.says(t, ask+`--cert partner-2.crt --key partner-2.key`, "401")
	p.says(t, `status --cert partner-2.crt --key partner-2.key -H "Authorization: Bearer $TOKEN" https://api.example.com/orders`, "401")
	// The next one is appended.
	p.says(t, `cat partner-2.crt >>`+p.etc+`/clients/partner.pem; sleep 3`, "")
	for _, label := range []string{"partner", "partner-2"} {
		p.says(t, ask+fmt.Sprintf("--cert %[1]s.crt --key %[1]s.key", label), "200")
	}
}

// A proof passes once, with its own key and token.
func (p *page) proofRefused(t *testing.T) {
	p.says(t, `once=$(proof GET https://api.example.com/orders "$TOKEN")
for try in 1 2; do status -H "Authorization: DPoP $TOKEN" -H "DPoP: $once" https://api.example.com/orders; done`, "200401")
	for _, wrong := range []string{
		`proof POST https://api.example.com/orders "$TOKEN"`, `proof GET https://api.example.com/other "$TOKEN"`,
		`proof GET https://api.example.com/orders other`, `proof GET https://api.example.com/orders`,
	} {
		p.says(t, `status -H "Authorization: DPoP $TOKEN" -H "DPoP: $(`+wrong+`)" https://api.example.com/orders`, "401")
	}
	p.says(t, `status -u "nightly-batch:$SECRET" -d grant_type=client_credentials https://api.example.com/oauth2/token`, "400")
}

// program builds the page's Go program and runs it against the gate that asks for
// nonces.
func (p *page) program(t *testing.T) {
	text := blockOf(t, recipes, "What does that look like in a program?", "go")
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "main.go"), text)
	writeFile(t, filepath.Join(folder, "go.mod"), "module example.com/client\n\ngo 1.24\n")
	for _, arguments := range [][]string{{"go", "vet", "."}, {"go", "build", "-o", "client", "."}} {
		command := exec.Command(arguments[0], arguments[1:]...)
		command.Dir, command.Env = folder, append(goEnvironment(t), "HOME="+folder, "GOTOOLCHAIN=local", "GOWORK=off")
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", arguments, err, output)
		}
	}
	if output, err := exec.Command("gofmt", "-l", folder).CombinedOutput(); err != nil || len(output) > 0 {
		t.Errorf("gofmt: %v %s", err, output)
	}
	client := exec.Command(filepath.Join(folder, "client"))
	client.Env = []string{
		"HTTPS_PROXY=" + p.proxy(t), "SSL_CERT_FILE=" + filepath.Join(p.etc, "ca.crt"), "CLIENT_SECRET=" + batchSecret,
	}
	output, err := client.CombinedOutput()
	if err != nil || string(output) != "200 OK\n" {
		t.Errorf("%v: %s\n%s", err, output, p.tail())
	}
}

// behindProxy makes a proxy in front that ends TLS and names another host to Caddy,
// and returns its port.
func (p *page) behindProxy(t *testing.T) int {
	t.Helper()
	ca, signer := (&mtls{folder: p.etc}).ca(t)
	key := newKey(t)
	certificate := certify(t, &x509.Certificate{
		SerialNumber: big.NewInt(3), DNSNames: []string{"api.example.com"}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
	}, ca, key, signer)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}},
	})
	if err != nil {
		t.Fatal(err)
	}
	inside := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", p.plain)}
	server := &http.Server{ReadHeaderTimeout: patience, Handler: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(inside)
		r.Out.Host = fmt.Sprintf("inside.example.com:%d", p.plain)
		r.SetXForwarded()
	}}}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return listener.Addr().(*net.TCPAddr).Port
}

func (p *page) withoutExternalURL(t *testing.T) {
	text := blockOf(t, recipes, "What if there is another proxy in front?", "caddyfile")
	p.serve(t, strings.Replace(text, "external_url https://api.example.com", "", 1))
	p.says(t, `status -H "Authorization: DPoP $TOKEN" -H "DPoP: $(proof GET https://api.example.com/orders "$TOKEN")" https://api.example.com/orders`, "401")
	if err := p.await(`"reason":"dpop_htu"`, patience); err != nil {
		t.Error(err)
	}
}

// The documented filter keeps proofs, and secrets that clients put into urls, out
// of the access log.
func TestRecipeForAccessLogs(t *testing.T) {
	t.Parallel()
	p := newPage(t)
	logs := t.TempDir()
	p.words = [][2]string{{"/var/log/caddy", logs}, {"/etc/caddy/secrets", p.etc + "/clients"}}
	writeFile(t, filepath.Join(p.etc, "clients", "nightly-batch"), batchSecret+"\n")
	p.serve(t, blockOf(t, "operations.md", "How do I keep secrets out of access logs?", "caddyfile"))
	key := tokentest.NewKey(t, "ES256")
	first := proof(t, key, "POST", "https://api.example.com/oauth2/token", "", nil)
	answered, _ := p.shell.run(t, "curl -s -u nightly-batch:"+batchSecret+" -d grant_type=client_credentials -H '"+first+"' https://api.example.com/oauth2/token")
	token := tokenOf(t, answer{status: 200, body: answered})
	second := proof(t, key, "GET", "https://api.example.com/orders", token, nil)
	p.says(t, fmt.Sprintf(`curl -s -o /dev/null -w '%%{http_code}' -H 'Authorization: DPoP %[1]s' -H '%[2]s' -H 'X-Api-Key: %[3]s' \
	'https://api.example.com/orders?client_secret=%[3]s&access_token=%[1]s&client_assertion=%[1]s'`, token, second, batchSecret), "200")
	logged := waitForLines(t, filepath.Join(logs, "access.log"), 2)
	if !strings.Contains(logged, `"user_id":"nightly-batch"`) || strings.Count(logged, "\n") != 2 {
		t.Errorf("the log:\n%s", logged)
	}
	for _, secret := range []string{batchSecret, token, strings.TrimPrefix(first, "DPoP: "), strings.TrimPrefix(second, "DPoP: ")} {
		if strings.Contains(logged, secret) {
			t.Errorf("%s shows in the log:\n%s", secret, logged)
		}
	}
}

// The filters that are documented for tokens in the query keep them out of both
// logs, whatever becomes of the request.
func TestRecipeForQueryTokens(t *testing.T) {
	t.Parallel()
	p := newPage(t)
	logs := t.TempDir()
	p.words = [][2]string{{"/var/log/caddy", logs}, {"/etc/caddy/secrets", p.etc + "/clients"}}
	writeFile(t, filepath.Join(p.etc, "clients", "nightly-batch"), batchSecret+"\n")
	text := blockOf(t, "operations.md", "What if tokens come in the query?", "caddyfile")
	p.serve(t, text)
	p.says(t, `TOKEN=$(curl -s -u nightly-batch:`+batchSecret+` -d grant_type=client_credentials https://api.example.com/oauth2/token | sed -E 's/.*"access_token":"([^"]+)".*/\1/')
get() { curl -s -o /dev/null -w '%{http_code} ' -H "Referer: https://api.example.com/orders?access_token=$TOKEN" "https://api.example.com/orders?$1"; }
get "access_token=$TOKEN"; get "a=1&access%5Ftoken=$TOKEN"; get "a=1;access_token=$TOKEN"; get "access_token=$TOKEN&access_token=$TOKEN"; get "access_token=$TOKEN%zz"`,
		"200 200 401 400 401")
	for _, heard := range p.upstream.drain() {
		if strings.Contains(heard.line, "oken") {
			t.Errorf("the API heard %q", heard.line)
		}
	}
	p.serve(t, strings.Replace(text, "127.0.0.1:9000", "127.0.0.1:1", 1)) // nobody listens there
	p.says(t, `get "access_token=$TOKEN"; get "a=1&access%5Ftoken=$TOKEN"`, "502 502")
	if err := p.await(`"status":502`, patience); err != nil {
		t.Error(err)
	}
	logged := waitForLines(t, filepath.Join(logs, "access.log"), 8) + p.output.String()
	if strings.Count(logged, "access_token=REDACTED") < 4 {
		t.Errorf("the logs:\n%s", logged)
	}
	raw, _ := p.shell.run(t, `printf %s "$TOKEN"`)
	if strings.Contains(logged, strings.Split(raw, ".")[2]) {
		t.Errorf("the token shows in\n%s", logged)
	}
}

// The documented field tells whose client it was.
func TestRecipeForIssuersInLogs(t *testing.T) {
	t.Parallel()
	p := newPage(t)
	logs := t.TempDir()
	p.words = [][2]string{{"/var/log/caddy", logs}, {"/etc/caddy/secrets", p.etc + "/clients"}}
	writeFile(t, filepath.Join(p.etc, "clients", "nightly-batch"), batchSecret+"\n")
	p.serve(t, blockOf(t, "operations.md", "Which issuer was it?", "caddyfile"))
	p.says(t, `TOKEN=$(curl -s -u nightly-batch:`+batchSecret+` -d grant_type=client_credentials https://api.example.com/oauth2/token | sed -E 's/.*"access_token":"([^"]+)".*/\1/')
curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $TOKEN" https://api.example.com/orders`, "200")
	if logged := waitForLines(t, filepath.Join(logs, "access.log"), 2); !strings.Contains(logged, `"client_issuer":"https://api.example.com"`) {
		t.Error(logged)
	}
}

// waitForLines reads a log as soon as it has so many lines.
func waitForLines(t *testing.T, path string, count int) string {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if text := readIfThere(path); strings.Count(text, "\n") >= count {
			return text
		}
	}
	t.Fatalf("%s: not %d lines:\n%s", path, count, readIfThere(path))
	return ""
}

func readIfThere(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}
