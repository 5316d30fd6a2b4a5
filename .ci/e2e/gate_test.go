package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

const gateCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		resource https://api.example/v1 {
			scopes orders:read orders:write admin
		}
		resource https://other.example
		client reader {
			secret {env.BATCH_SECRET}
			scopes orders:read
		}
		client writer {
			secret {env.BATCH_SECRET}
			scopes orders:read orders:write
		}
		client guest {
			secret {env.BATCH_SECRET}
			scopes orders:read
		}
		client off {
			secret {env.BATCH_SECRET}
			scopes orders:read
			disabled
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate orders:read {
		resource https://api.example/v1
		require GET /orders/ orders:read
		require POST,PUT /orders/ orders:write
		require GET /orders/{id}/notes/{rest...} orders:write
		require * /any orders:read
		public GET /health
		public * /open/
		allow_clients reader writer
		realm "the API"
	}
	reverse_proxy {$UPSTREAM}
}
`

func launchGate(t *testing.T) *instance {
	t.Helper()
	return launch(t, gateCaddyfile, "BATCH_SECRET="+batchSecret)
}

// bare is the challenge without an error.
const bare = `Bearer realm="the API", resource_metadata="https://api.example/.well-known/oauth-protected-resource/v1"`

// wantRefusal checks a refusal of the gate: status, code in body and challenge,
// and that the API did not hear of it.
func (c *instance) wantRefusal(t testing.TB, got answer, status int, code, challenge string) {
	t.Helper()
	got.wantError(t, status, code)
	c.upstream.silent(t)
	if got.header.Get("Content-Type") != "application/json" || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", got.header)
	}
	found := got.header.Values("WWW-Authenticate")
	if challenge == "" && len(found) > 0 || challenge != "" && (len(found) != 1 || !strings.HasPrefix(found[0], challenge)) {
		t.Errorf("WWW-Authenticate %q, expected %q", found, challenge)
	}
	description, _ := got.members(t)["error_description"].(string)
	if description == "" || strings.ContainsAny(description, "\"\\") {
		t.Errorf("error_description %q", description)
	}
}

func challengeWith(code string) string { return bare + `, error="` + code + `", error_description="` }

// Without a token: 401 with the bare challenge, whatever rule stands there.
func TestGateWithoutToken(t *testing.T) {
	t.Parallel()
	c := launchGate(t)
	rows := []struct {
		method, path string
		fields       []string
	}{
		{"GET", "/orders", nil},
		{"HEAD", "/orders/1", nil},
		{"DELETE", "/orders/1", nil},
		{"OPTIONS", "/orders/1", nil},
		{"GET", "/nowhere", nil},
		{"GET", "/", nil},
		{"POST", "/health", nil},
		{"GET", "/orders?access_token=a.b.c", nil},
		{"GET", "/orders", []string{"Authorization: Basic cmVhZGVyOng="}},
		{"GET", "/orders", []string{"Authorization: a.b.c"}},
		{"GET", "/orders", []string{"X-Client-Id: reader", "X-Client-Scope: orders:read"}},
		{"GET", "/orders", []string{"X-Forwarded-Uri: /health", "X-Original-URL: /health", "X-Rewrite-URL: /health"}},
		{"POST", "/orders", []string{"X-HTTP-Method-Override: GET"}},
	}
	for _, row := range rows {
		t.Run(fmt.Sprint(row.method, row.path, row.fields), func(t *testing.T) {
			got := c.send(t, row.method, row.path, "", row.fields...)
			if row.method == http.MethodHead {
				got.body = `{"error":"unauthorized","error_description":"none, in an answer to HEAD"}`
			}
			c.wantRefusal(t, got, 401, "unauthorized", bare)
			if strings.Contains(got.header.Get("WWW-Authenticate"), "error") {
				t.Errorf("an error code: %s", got)
			}
		})
	}
	token := c.token(t, "reader", batchSecret)
	got := c.get(t, "/orders?access_token="+token)
	c.wantRefusal(t, got, 401, "unauthorized", bare)
	got = c.send(t, "PUT", "/orders", form("access_token", token), formType)
	c.wantRefusal(t, got, 401, "unauthorized", bare)
}

func TestGateJudgesScopesAndRules(t *testing.T) {
	t.Parallel()
	c := launchGate(t)
	tokens := map[string]string{
		"reader": c.token(t, "reader", batchSecret), "writer": c.token(t, "writer", batchSecret), "guest": c.token(t, "guest", batchSecret),
		"write only": c.token(t, "writer", batchSecret, "scope", "orders:write"),
	}
	rows := []struct {
		who, method, path string
		status            int
		code              string
		scope             string // what is needed, where it is missing
	}{
		{"reader", "GET", "/orders", 200, "", ""},
		{"reader", "GET", "/orders/", 200, "", ""},
		{"reader", "HEAD", "/orders/17", 200, "", ""},
		{"reader", "PATCH", "/any", 200, "", ""},
		{"reader", "GET", "/health", 200, "", ""},
		{"writer", "POST", "/orders", 200, "", ""},
		{"writer", "GET", "/orders/17/notes/a/b", 200, "", ""},
		{"reader", "POST", "/orders", 403, "insufficient_scope", "orders:read orders:write"},
		{"reader", "PUT", "/orders/17", 403, "insufficient_scope", "orders:read orders:write"},
		{"reader", "GET", "/orders/17/notes/a", 403, "insufficient_scope", "orders:read orders:write"},
		{"reader", "HEAD", "/orders/17/notes/a", 403, "insufficient_scope", "orders:read orders:write"},
		{"write only", "GET", "/orders", 403, "insufficient_scope", "orders:read"},
		{"write only", "POST", "/orders", 403, "insufficient_scope", "orders:read orders:write"},
		{"writer", "DELETE", "/orders/17", 403, "access_denied", ""},
		{"writer", "OPTIONS", "/orders/17", 403, "access_denied", ""},
		{"writer", "get", "/orders/17", 403, "access_denied", ""},
		{"writer", "GET", "/nowhere", 403, "access_denied", ""},
		{"writer", "GET", "/Orders", 403, "access_denied", ""},
		{"writer", "GET", "/", 403, "access_denied", ""},
		{"writer", "POST", "/health", 403, "access_denied", ""},
		{"writer", "GET", "/health/", 403, "access_denied", ""},
		{"guest", "GET", "/orders", 403, "access_denied", ""},
	}
	for _, row := range rows {
		t.Run(row.who+" "+row.method+" "+row.path, func(t *testing.T) {
			got := c.send(t, row.method, row.path, "", bearer(tokens[row.who]))
			if row.status == 200 {
				got.wantStatus(t, 200)
				if challenge := got.header.Get("WWW-Authenticate"); challenge != "" {
					t.Errorf("a challenge: %q", challenge)
				}
				c.upstream.only(t)
				return
			}
			if row.method == http.MethodHead {
				got.body = `{"error":"` + row.code + `","error_description":"none, in an answer to HEAD"}`
			}
			challenge := ""
			if row.scope != "" {
				challenge = challengeWith(row.code)
				if !strings.HasSuffix(got.header.Get("WWW-Authenticate"), `, scope="`+row.scope+`"`) {
					t.Errorf("needed scope: %s", got)
				}
			}
			c.wantRefusal(t, got, row.status, row.code, challenge)
		})
	}
}

// What is wrong with the Authorization field itself.
func TestGateAuthorizationField(t *testing.T) {
	t.Parallel()
	c := launchGate(t)
	token := c.token(t, "reader", batchSecret)
	rows := []struct {
		name   string
		fields []string
		status int
		code   string
	}{
		{"any case", []string{"Authorization: bEaReR " + token}, 200, ""},
		{"spaces around", []string{"Authorization:   Bearer  " + token + "  "}, 200, ""},
		{"two fields", []string{bearer(token), bearer(token)}, 400, "invalid_request"},
		{"another spelling of the second", []string{bearer(token), "authorization: Bearer " + token}, 400, "invalid_request"},
		{"two schemes", []string{bearer(token), "Authorization: Basic eDp5"}, 400, "invalid_request"},
		{"a list", []string{bearer(token + ", Bearer " + token)}, 400, "invalid_request"},
		{"no token", []string{"Authorization: Bearer"}, 401, "invalid_token"},
		{"blank token", []string{"Authorization: Bearer "}, 401, "invalid_token"},
		{"not a JWS", []string{bearer("x")}, 401, "invalid_token"},
		{"two tokens", []string{bearer(token + " " + token)}, 401, "invalid_token"},
		{"not base64", []string{bearer("!.!.!")}, 401, "invalid_token"},
		{"not UTF-8", []string{bearer("\xff\xfe.\x80.\xc0")}, 401, "invalid_token"},
		{"five parts", []string{bearer(token + ".x.x")}, 401, "invalid_token"},
		{"padded", []string{bearer(token + "=")}, 401, "invalid_token"},
		{"cut", []string{bearer(token[:len(token)-1])}, 401, "invalid_token"},
		{"huge", []string{bearer(strings.Repeat("x", 14<<10))}, 401, "invalid_token"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			head := append([]string{"GET /orders HTTP/1.1", "Host: localhost", "Connection: close"}, row.fields...)
			got := c.raw(t, lines(append(head, "", "")...))
			if row.status == 200 {
				got.wantStatus(t, 200)
				c.upstream.only(t)
				return
			}
			c.wantRefusal(t, got, row.status, row.code, challengeWith(row.code))
		})
	}
}

// Tokens that the issuer never made, most of them signed with its own key.
func TestGateForgedTokens(t *testing.T) {
	t.Parallel()
	c := launchGate(t)
	fetched := listenForFetch(t)
	good := c.token(t, "reader", batchSecret)
	header, claims := decode(t, good)
	f, now := c.forger(t), time.Now().Unix()
	stranger := launchGate(t).forger(t)
	rows := []struct {
		name           string
		header, claims object
	}{
		{"typ JWT", object{"typ": "JWT"}, nil},
		{"typ of an assertion", object{"typ": "client-authentication+jwt"}, nil},
		{"no typ", object{"typ": nil}, nil},
		{"unknown kid", object{"kid": "x"}, nil},
		{"no kid", object{"kid": nil}, nil},
		{"alg of another kind", object{"alg": "RS256"}, nil},
		{"alg none", object{"alg": "none"}, nil},
		{"crit", object{"crit": []string{"b64"}, "b64": true}, nil},
		{"another iss", nil, object{"iss": "http://localhost/"}},
		{"no iss", nil, object{"iss": nil}},
		{"another aud", nil, object{"aud": "https://other.example"}},
		{"aud with a slash", nil, object{"aud": "https://api.example/v1/"}},
		{"no aud", nil, object{"aud": nil}},
		{"expired", nil, object{"exp": now - 40}},
		{"no exp", nil, object{"exp": nil}},
		{"exp as text", nil, object{"exp": fmt.Sprint(now + 600)}},
		{"iat ahead", nil, object{"iat": now + 60}},
		{"nbf ahead", nil, object{"nbf": now + 60}},
		{"no jti", nil, object{"jti": nil}},
		{"no sub", nil, object{"sub": nil}},
		{"no client_id", nil, object{"client_id": nil}},
		{"empty client_id", nil, object{"client_id": ""}},
		{"client_id with a line break", nil, object{"client_id": "reader\r\nX-Evil: 1"}},
		{"client_id outside ASCII", nil, object{"client_id": "réader"}},
		{"client_id with a space behind", nil, object{"client_id": "reader "}},
		{"unknown client", nil, object{"client_id": "nobody"}},
		{"disabled client", nil, object{"client_id": "off"}},
		{"scope that the client has not", nil, object{"scope": "orders:read admin"}},
		{"scope with a line break", nil, object{"scope": "orders:read\nadmin"}},
		{"scope as an array", nil, object{"scope": []string{"orders:read"}}},
		{"role that the client has not", nil, object{"roles": []string{"admin"}}},
		{"bound to a certificate", nil, object{"cnf": object{"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}}},
		{"bound to a key", nil, object{"cnf": object{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}},
		{"bound in a way that nobody knows", nil, object{"cnf": object{"kid": "x"}}},
		{"names in capitals", nil, object{"iss": nil, "ISS": "http://localhost"}},
	}
	refused := func(t *testing.T, token string) {
		t.Helper()
		c.wantRefusal(t, c.get(t, "/orders", bearer(token)), 401, "invalid_token", challengeWith("invalid_token"))
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) { refused(t, f.sign(t, header.with(row.header), claims.with(row.claims))) })
	}
	t.Run("signed by somebody else", func(t *testing.T) { refused(t, stranger.sign(t, header, claims)) })
	t.Run("keys that the token brings", func(t *testing.T) {
		jwk := object{"kty": "EC", "crv": "P-256", "x": encodeBytes(stranger.key.X.FillBytes(make([]byte, 32))), "y": encodeBytes(stranger.key.Y.FillBytes(make([]byte, 32)))}
		refused(t, stranger.sign(t, header.with(object{"jwk": jwk, "jku": fetched, "x5u": fetched}), claims))
		refused(t, stranger.sign(t, header.with(object{"kid": "x", "jwk": jwk, "jku": fetched, "x5u": fetched}), claims))
	})
	t.Run("HS256 with the public key", func(t *testing.T) { refused(t, f.confuse(t, header, claims)) })
	t.Run("no signature", func(t *testing.T) { refused(t, good[:strings.LastIndexByte(good, '.')+1]) })
	t.Run("a member twice", func(t *testing.T) {
		text := strings.TrimSuffix(jsonText(t, claims), "}") + `,"client_id":"writer"}`
		refused(t, f.signText(t, encode(t, header)+"."+encodeBytes([]byte(text))))
	})
	for name, changes := range map[string]object{
		"nothing changed": nil, "expired within the leeway": {"exp": now - 10}, "iat and nbf ahead within the leeway": {"iat": now + 15, "nbf": now + 15},
		"several aud": {"aud": []string{"https://other.example", "https://api.example/v1"}},
	} {
		t.Run("good: "+name, func(t *testing.T) {
			c.get(t, "/orders", bearer(f.sign(t, header.with(object{"typ": "application/AT+jwt"}), claims.with(changes)))).wantStatus(t, 200)
			c.upstream.only(t)
		})
	}
}

// A bad token is refused also where no token is needed or no rule stands.
func TestGateBadTokenAnywhere(t *testing.T) {
	t.Parallel()
	c := launchGate(t)
	for _, path := range []string{"/health", "/open/x", "/nowhere"} {
		c.wantRefusal(t, c.get(t, path, bearer("a.b.c")), 401, "invalid_token", challengeWith("invalid_token"))
	}
	for _, path := range []string{"/health", "/open/x", "/open"} {
		c.get(t, path).wantStatus(t, 200)
		c.upstream.only(t)
	}
}

// confuse signs with HMAC under the public key, which everybody has.
func (f forger) confuse(t testing.TB, header, claims object) string {
	t.Helper()
	public, err := x509.MarshalPKIXPublicKey(&f.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := encode(t, header.with(object{"alg": "HS256"})) + "." + encode(t, claims)
	mac := hmac.New(sha256.New, public)
	mac.Write([]byte(text))
	return text + "." + encodeBytes(mac.Sum(nil))
}

func encodeBytes(octets []byte) string { return base64.RawURLEncoding.EncodeToString(octets) }

// listenForFetch returns a url that nobody may ask for.
func listenForFetch(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if connection, err := listener.Accept(); err == nil {
			_ = connection.Close()
			t.Error("the gate fetched a url that a token names")
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return "http://" + listener.Addr().String() + "/keys"
}
