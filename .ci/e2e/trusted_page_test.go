package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

const trustedPage = "trusted-issuers.md"

// servers are the authorization servers of the page, all at one address: Caddy
// gets there through an HTTPS proxy, with the urls that the page has.
type servers struct {
	key map[string]tokentest.Key // by algorithm; the same for all, so that `iss` and place alone keep them apart

	mutex sync.Mutex
	files map[string]string // by url without its scheme
	asked []string          // the urls that were asked for since the last time
}

func newServers(t *testing.T, etc string) (s *servers, proxy string) {
	t.Helper()
	s = &servers{files: map[string]string{}, key: map[string]tokentest.Key{
		"RS256": tokentest.NewKey(t, "RS256"), "ES384": tokentest.NewKey(t, "ES384"),
	}}
	ca, signer := (&mtls{folder: etc}).ca(t)
	key := newKey(t)
	certificate := certify(t, &x509.Certificate{
		SerialNumber: big.NewInt(4), NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		DNSNames: []string{
			"auth.example.com", "login.microsoftonline.com", "acme.eu.auth0.com", "acme.logto.app",
			"idcs-3f9c.identity.oraclecloud.com", "acme.okta.com",
		},
	}, ca, key, signer)
	server := httptest.NewUnstartedServer(s)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return s, proxyTo(t, server.Listener.Addr().String())
}

func (s *servers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	url := r.Host + r.URL.Path
	s.asked = append(s.asked, url)
	text, found := s.files[url]
	if !found {
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = io.WriteString(w, text)
}

// wantAsked checks which urls were asked for since the last time.
func (s *servers) wantAsked(t *testing.T, expected ...string) {
	t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if got := strings.Join(s.asked, " "); got != strings.Join(expected, " ") {
		t.Errorf("asked for %s, expected %s", got, strings.Join(expected, " "))
	}
	s.asked = nil
}

// publish puts a server's key and, at a place of its own, its metadata where
// that server has them. keysAt is a url without its scheme.
func (s *servers) publish(t *testing.T, issuer, metadataAt, keysAt, algorithm, kid string) {
	t.Helper()
	// As some of them write it: the key may do more than verify.
	key := s.key[algorithm].JWK().With(tokentest.Members{"kid": kid, "key_ops": []string{"encrypt", "verify", "wrapKey"}})
	set, err := json.Marshal(map[string]any{"keys": []any{key}})
	if err != nil {
		t.Fatal(err)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.files[keysAt] = string(set)
	if metadataAt != "" {
		s.files[metadataAt] = fmt.Sprintf(`{"issuer":%q,"jwks_uri":"https://%s"}`, issuer, keysAt)
	}
}

// documentedToken is the token that a section shows.
type documentedToken struct {
	key            tokentest.Key
	header, claims string
}

var issued, expires = regexp.MustCompile(`"(iat|nbf)":\d+`), regexp.MustCompile(`"exp":\d+`)

func (s *servers) documentedToken(t *testing.T, title string) documentedToken {
	t.Helper()
	header, claims, found := strings.Cut(strings.TrimSpace(blockOf(t, trustedPage, title, "json")), "\n")
	if !found {
		t.Fatalf("%s: the block has no second line", title)
	}
	now := time.Now().Unix()
	claims = expires.ReplaceAllString(issued.ReplaceAllString(claims, fmt.Sprintf(`"$1":%d`, now)), fmt.Sprintf(`"exp":%d`, now+300))
	for algorithm, key := range s.key {
		if strings.Contains(header, `"alg":"`+algorithm+`"`) {
			return documentedToken{key, header, claims}
		}
	}
	t.Fatalf("%s: no key for %s", title, header)
	return documentedToken{}
}

// with is the token with some words of its claims changed, in pairs.
func (d documentedToken) with(t *testing.T, pairs ...string) string {
	t.Helper()
	changed := replace(d.claims, pairs...)
	if len(pairs) > 0 && changed == d.claims {
		t.Fatalf("nothing to change: %q", pairs)
	}
	return d.key.SignText(t, d.header, changed)
}

func (d documentedToken) value(t *testing.T, claim string) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(d.claims), &members); err != nil {
		t.Fatal(err)
	}
	text, _ := members[claim].(string)
	return text
}

// shape is what the page says of a server.
type shape struct {
	issuer, metadataAt, keysAt string
	clientClaim, scope         string
	first                      []string // what is asked for when the first token comes
}

var shapes = map[string]shape{
	"Keycloak": {
		issuer: "https://auth.example.com/realms/demo", metadataAt: "auth.example.com/realms/demo/.well-known/openid-configuration",
		keysAt: "auth.example.com/realms/demo/protocol/openid-connect/certs", clientClaim: "azp", scope: "orders:read profile",
		first: []string{"auth.example.com/.well-known/oauth-authorization-server/realms/demo"},
	},
	"Entra": {
		issuer: "https://sts.windows.net/7b1c7a3e-4c1c-4d57-9f0d-1a2b3c4d5e6f/",
		keysAt: "login.microsoftonline.com/7b1c7a3e-4c1c-4d57-9f0d-1a2b3c4d5e6f/discovery/keys", clientClaim: "appid", scope: "Orders.Read",
	},
	"Auth0": {
		issuer: "https://acme.eu.auth0.com/", metadataAt: "acme.eu.auth0.com/.well-known/openid-configuration",
		keysAt: "acme.eu.auth0.com/.well-known/jwks.json", clientClaim: "azp", scope: "orders:read",
		first: []string{"acme.eu.auth0.com/.well-known/oauth-authorization-server"},
	},
	"Logto": {
		issuer: "https://acme.logto.app/oidc", metadataAt: "acme.logto.app/oidc/.well-known/openid-configuration",
		keysAt: "acme.logto.app/oidc/jwks", clientClaim: "client_id", scope: "read",
		first: []string{"acme.logto.app/.well-known/oauth-authorization-server/oidc"},
	},
	"Oracle": {
		issuer: "https://identity.oraclecloud.com/", keysAt: "idcs-3f9c.identity.oraclecloud.com/admin/v1/SigningCert/jwk",
		clientClaim: "client_id", scope: "orders:read",
	},
	"Okta": {
		issuer: "https://acme.okta.com/oauth2/default", metadataAt: "acme.okta.com/oauth2/default/.well-known/openid-configuration",
		keysAt: "acme.okta.com/oauth2/default/v1/keys", clientClaim: "cid", scope: "orders:read",
		first: []string{"acme.okta.com/.well-known/oauth-authorization-server/oauth2/default"},
	},
}

const (
	moveSection  = "How do I move from another server to this one?"
	firstSection = "What do I have to set?"
)

var shownKid = regexp.MustCompile(`"kid":"([^"]+)"`)

// The Caddyfiles of the page let the tokens that it shows pass, and nothing else.
func TestTrustedPage(t *testing.T) {
	t.Parallel()
	etc := t.TempDir()
	pool := makeCertificates(t, etc)
	s, proxy := newServers(t, etc)
	p := newPageIn(t, etc, pool, "HTTPS_PROXY="+proxy, "SSL_CERT_FILE="+filepath.Join(etc, "ca.crt"))
	writeFile(t, filepath.Join(etc, "clients", "orders-job.secret"), batchSecret+"\n")
	p.says(t, `status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }`, "")
	setups, checks := map[string]func(*testing.T){}, map[string]func(*testing.T){
		moveSection: func(t *testing.T) { p.move(t, s.documentedToken(t, "Keycloak")) },
	}
	for title, server := range shapes {
		shown := s.documentedToken(t, title)
		s.publish(t, server.issuer, server.metadataAt, server.keysAt, shown.key.Algorithm, shownKid.FindStringSubmatch(shown.header)[1])
		setups[title] = func(t *testing.T) { p.says(t, "TOKEN="+shown.with(t), "") }
		checks[title] = func(t *testing.T) { p.passes(t, s, server, shown) }
	}
	setups[firstSection] = setups["Keycloak"]
	p.follow(t, trustedPage, setups, checks)
}

// passes checks who is let pass, and what was fetched for it.
func (p *page) passes(t *testing.T, s *servers, server shape, shown documentedToken) {
	const orders = ` https://api.example.com/orders`
	p.upstream.drain()
	p.says(t, `status -H "Authorization: Bearer $TOKEN"`+orders, "200")
	heard := p.upstream.only(t)
	client := shown.value(t, server.clientClaim)
	heard.one(t, "X-Client-Id", client)
	heard.one(t, "X-Client-Scope", server.scope)
	heard.one(t, "X-Client-Issuer", server.issuer)
	asked := server.first
	if server.metadataAt != "" {
		asked = append(asked[:len(asked):len(asked)], server.metadataAt)
	}
	s.wantAsked(t, append(asked[:len(asked):len(asked)], server.keysAt)...)
	p.says(t, `status -X POST -H "Authorization: Bearer $TOKEN"`+orders, "403")
	for name, raw := range map[string]string{
		"iss":       shown.with(t, server.issuer, "https://other.example.com"),
		"client":    shown.with(t, `"`+server.clientClaim+`"`, `"other"`),
		"ID token":  shown.with(t, `"aud"`, `"audience"`, `"iss"`, fmt.Sprintf(`"aud":%q,"iss"`, client)),
		"HS256":     shown.key.SignText(t, strings.Replace(shown.header, shown.key.Algorithm, "HS256", 1), shown.claims),
		"a new key": tokentest.NewKey(t, shown.key.Algorithm).SignText(t, shown.header, shown.claims),
	} {
		t.Run(name, func(t *testing.T) { p.says(t, `status -H "Authorization: Bearer `+raw+`"`+orders, "401") })
	}
	p.upstream.silent(t)
	s.wantAsked(t) // nothing more
}

// move checks the page's steps.
func (p *page) move(t *testing.T, old documentedToken) {
	p.says(t, `old=`+old.with(t)+`
other=`+old.with(t, `"orders-job"`, `"reporting"`)+`
third=`+old.with(t, `"orders-job"`, `"third"`)+`
new=$(curl -s -u "orders-job:`+batchSecret+`" -d grant_type=client_credentials https://api.example.com/oauth2/token | sed -E 's/.*"access_token":"([^"]+)".*/\1/')
each() { for token in "$old" "$other" "$third" "$new"; do printf '%s ' "$(status -H "Authorization: Bearer $token" https://api.example.com/orders)"; done; }
each`, "200 200 403 200")
	text := blockOf(t, trustedPage, moveSection, "caddyfile")
	p.serve(t, strings.Replace(text, "realms/demo orders-job reporting", "realms/demo reporting", 1))
	p.says(t, "each", "403 200 403 200")
	p.serve(t, replace(text, "issuers self https://auth.example.com/realms/demo\n", "", "allow_clients_of https://auth.example.com/realms/demo orders-job reporting\n", ""))
	p.says(t, "each", "401 401 401 200")
}
