package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// The requests that other products document get a token that opens the API, with
// only their host changed.
func TestMoving(t *testing.T) {
	t.Parallel()
	p := newPage(t)
	for client, secret := range map[string]string{
		"order-sync": "64e740ae-77e7-41a3-97a7-712ba7a9b9f0", "importer": "fK2mXq8Zr4Tn6Yw1Lb9Vd3Hs7Jc5Pg0A",
		"orders-job": "b9Qh2nWv7LkZ4xTmRc8YpD1sFgJ6uEaV",
	} {
		writeFile(t, filepath.Join(p.etc, "clients", client+".secret"), secret+"\n")
	}
	// What Oracle's clients have: a certificate with an RSA key, and the server's CA.
	p.says(t, "openssl req -x509 -newkey rsa:2048 -noenc -days 30 -keyout client.key -out client.crt -subj /CN=order-sync 2>/dev/null", "")
	writeFile(t, filepath.Join(p.home, "ca.crt"), readFile(t, filepath.Join(p.etc, "ca.crt")))
	p.quiet(t)
	// Whatever curl gets is kept: the page shows of it what is always the same.
	p.says(t, `curl() { command curl "$@" | tee -a answers; }`, "")
	opens := func(url string) func(*testing.T) { return func(t *testing.T) { p.opens(t, url) } }
	p.follow(t, "moving.md", nil, map[string]func(*testing.T){
		"Client id and secret":                       opens("https://api.example.com/orders"),
		"Client id and secret over mutual TLS":       opens("https://api.example.com/orders"),
		"TLS client authentication with `client_id`": p.oracleRefused,
		"Client assertion":                           p.oracleAssertion,
		"App id and secret in the header":            opens("https://shop.example.com/products"),
		"App id and secret in the body":              p.logtoRefused,
		"Client id and secret in the body":           opens("https://api.example.com/orders"),
		"Client id and secret in the header":         opens("https://api.example.com/orders"),
	})
}

// quiet leaves out curl's progress, which people see where its output is no
// terminal.
func (p *page) quiet(t *testing.T) {
	t.Helper()
	path := filepath.Join(p.home, ".curlrc")
	writeFile(t, path, readFile(t, path)+"silent\nshow-error\n")
}

var accessToken = regexp.MustCompile(`"access_token":"([^"]+)"`)

// opens checks that the one token since the last time opens the API.
func (p *page) opens(t *testing.T, url string) {
	t.Helper()
	path := filepath.Join(p.home, "answers")
	found := accessToken.FindAllStringSubmatch(readFile(t, path), -1)
	if len(found) != 1 {
		t.Fatalf("%d tokens", len(found))
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	p.upstream.drain()
	p.says(t, `command curl -o /dev/null -w '%{http_code}' -H "Authorization: Bearer `+found[0][1]+`" `+url, "200")
	p.upstream.only(t)
}

// oracleStatus asks for a token; what follows are further arguments.
const oracleStatus = `command curl -o /dev/null -w '%{http_code}' -d grant_type=client_credentials `

func (p *page) oracleRefused(t *testing.T) {
	p.opens(t, "https://api.example.com/orders")
	const secure, with = `https://secure.auth.example.com/oauth2/v1/token `, `--cert client.crt --key client.key `
	p.says(t, oracleStatus+secure+`-H "Authorization: Basic $BASIC" 2>/dev/null`, "000") // without a certificate
	p.says(t, oracleStatus+secure+with+`-d client_id=$CLIENT_ID`, "401")                 // a certificate proves nothing by itself
	lifetime := oracleStatus + secure + with + `-H "Authorization: Basic $BASIC" -d 'scope=urn:opc:idm:__myscopes__ urn:opc:resource:expiry=600'`
	p.says(t, lifetime, "400")
	// What the page says of both.
	text := blockOf(t, "moving.md", "Moving from Oracle (identity domains, IDCS)", "caddyfile")
	p.says(t, "cp client.crt "+p.etc+"/clients/order-sync.pem", "")
	p.serve(t, replace(text,
		"secret {file./etc/caddy/clients/order-sync.secret}", "secret {file./etc/caddy/clients/order-sync.secret}\nself_signed_tls_client_auth /etc/caddy/clients/order-sync.pem",
		"scope_alias urn", "scope_alias urn:opc:resource:expiry=600\nscope_alias urn"))
	p.says(t, oracleStatus+secure+with+`-d client_id=$CLIENT_ID`, "200")
	p.says(t, lifetime, "200")
}

func (p *page) oracleAssertion(t *testing.T) {
	p.opens(t, "https://api.example.com/orders")
	p.says(t, `make() { # HEADER AUDIENCE MEMBERS
	local signed
	signed=$(printf '{"alg":"RS256",%s}' "$1" | b64url).$(
		printf '{"iss":"%s","sub":"%s","aud":"%s","iat":%s,"exp":%s%s}' $CLIENT_ID $CLIENT_ID "$2" "$NOW" $((NOW + 300)) "$3" | b64url)
	printf %s "$signed.$(printf %s "$signed" | openssl dgst -sha256 -sign client.key | b64url)"
}
jti() { printf ',"jti":"%s"' "$(openssl rand -hex 16)"; }`, "")
	const post = oracleStatus + `https://auth.example.com/oauth2/v1/token -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer -d client_assertion=`
	for arguments, expected := range map[string]string{
		`'"typ":"JWT","kid":"order-sync"' https://auth.example.com "$(jti)"`:                 "200",
		`'"typ":"JWT","x5t":"AAAA"' https://auth.example.com "$(jti)"`:                       "200",
		`'"typ":"JWT","kid":"other"' https://auth.example.com "$(jti)"`:                      "401",
		`'"typ":"JWT","kid":"order-sync"' https://identity.oraclecloud.com/ "$(jti)"`:        "401",
		`'"typ":"JWT","kid":"order-sync"' https://auth.example.com ""`:                       "401",
		`'"typ":"JWT","kid":"order-sync"' https://auth.example.com/oauth2/v1/token "$(jti)"`: "401",
	} {
		p.says(t, post+`"$(make `+arguments+`)"`, expected)
	}
}

func (p *page) logtoRefused(t *testing.T) {
	p.opens(t, "https://orders.example.com/orders")
	for command, expected := range map[string]string{
		`-d scope=read:products -d resource=https://orders.api`: "400",
		`-d scope=all -d resource=https://orders.api`:           "400",
		`-d organization_id=x`:                                  "200",
	} {
		p.says(t, `command curl -o /dev/null -w '%{http_code}' -u "$APP_ID:$APP_SECRET" -d grant_type=client_credentials `+command+` https://auth.example.com/oidc/token`, expected)
	}
}
