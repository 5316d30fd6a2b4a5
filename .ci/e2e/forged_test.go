package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

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
