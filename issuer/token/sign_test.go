package token_test

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// full are claims with a value in every field.
func full() *token.Claims {
	return &token.Claims{
		Issuer: "https://issuer.example", Subject: "batch", Audience: []string{"https://a.example", "https://b.example"},
		ClientID: "nightly batch <1>", IssuedAt: 1700000000, NotBefore: 1699999999, Expires: 1700003600,
		ID: token.NewID(7), Scope: token.Scopes{"orders:read", "orders:write"}, Roles: []string{"reader", "writer"},
		Confirmation: &token.Confirmation{CertificateThumbprint: "x5t", KeyThumbprint: "jkt"},
		Extra: map[string]any{
			"tenant": "tëst </script> \u2028", "azp": "other", "empty": nil, "deep": map[string]any{"list": []any{"a", json.Number("1.50"), true}},
		},
	}
}

func TestSignAndParse(t *testing.T) {
	t.Parallel()
	for _, alg := range token.Algorithms() {
		signer := newSigner(t, alg)
		if signer.KeyID() != string(alg) {
			t.Errorf("%s: kid %q", alg, signer.KeyID())
		}
		minimal := &token.Claims{Issuer: "i", Audience: []string{"a"}, Expires: 1}
		for _, claims := range []*token.Claims{full(), minimal} {
			text, err := signer.Sign(claims)
			if err != nil {
				t.Fatal(err)
			}
			got, err := parse(t, text, known())
			if err != nil || !reflect.DeepEqual(got, claims) {
				t.Errorf("%s: %+v, %v; expected %+v", alg, got, err, claims)
			}
		}
	}
}

// What others see of a token (RFC 9068 section 2): the exact spelling.
func TestWireForm(t *testing.T) {
	t.Parallel()
	claims := &token.Claims{
		Issuer: "i", Subject: "s", Audience: []string{"a"}, ClientID: "c", IssuedAt: 1, Expires: 2, ID: "j",
		Scope: token.Scopes{"x", "y"}, Confirmation: &token.Confirmation{KeyThumbprint: "t"}, Extra: map[string]any{"tenant": 1},
	}
	const usual = `{"iss":"i","sub":"s","aud":"a","client_id":"c","iat":1,"exp":2,"jti":"j","scope":"x y","cnf":{"jkt":"t"},"tenant":1}`
	expectWire(t, claims, usual)
	claims.Audience, claims.Roles = []string{"a", "b"}, []string{"r"}
	claims.Scope, claims.Confirmation, claims.Extra = nil, nil, nil
	expectWire(t, claims, `{"iss":"i","sub":"s","aud":["a","b"],"client_id":"c","iat":1,"exp":2,"jti":"j","roles":["r"]}`)
	claims.Audience, claims.Roles = nil, []string{}
	expectWire(t, claims, `{"iss":"i","sub":"s","client_id":"c","iat":1,"exp":2,"jti":"j"}`)
}

func expectWire(t *testing.T, claims *token.Claims, want string) {
	t.Helper()
	text, err := newSigner(t, es).Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`{"alg":"ES256","typ":"at+jwt","kid":"ES256"}`, want} {
		part, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[i])
		if err != nil || string(part) != want {
			t.Errorf("part %d: %s, %v; expected %s", i+1, part, err, want)
		}
	}
}

// An extra claim cannot stand in for one of the issuer's: of two members, some
// parsers take the last.
func TestExtraClaimsCannotReplace(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"iss", "sub", "aud", "client_id", "iat", "nbf", "exp", "jti", "scope", "roles", "cnf"} {
		claims := &token.Claims{Issuer: "i", Extra: map[string]any{"tenant": 1, name: "x"}}
		text, err := newSigner(t, es).Sign(claims)
		if text != "" || err == nil || !strings.Contains(err.Error(), `"`+name+`"`) {
			t.Errorf("extra claim %s: %v; expected an error that names it", name, err)
		}
	}
}

func TestExtraClaimThatIsNotJSON(t *testing.T) {
	t.Parallel()
	text, err := newSigner(t, es).Sign(&token.Claims{Extra: map[string]any{"x": func() {}}})
	if text != "" || err == nil {
		t.Errorf("%q, %v; expected an error", text, err)
	}
}

// Key and algorithm that do not belong together are found before the first
// token is asked for.
func TestNewSignerRefuses(t *testing.T) {
	t.Parallel()
	sharedType := map[token.Algorithm]token.Algorithm{token.RS256: token.PS256, token.PS256: token.RS256}
	for _, alg := range token.Algorithms() {
		for other, private := range pairs() {
			_, err := token.NewSigner(token.SigningKey{ID: "k", Algorithm: alg, Private: private})
			if fits := alg == other || sharedType[alg] == other; (err == nil) != fits {
				t.Errorf("%s with a key for %s: %v", alg, other, err)
			}
		}
		if _, err := token.NewSigner(token.SigningKey{ID: "k", Algorithm: alg}); err == nil {
			t.Errorf("%s without a key: expected an error", alg)
		}
	}
	for _, alg := range []token.Algorithm{"", "none", "HS256", "es256", "RS512"} {
		if _, err := token.NewSigner(token.SigningKey{ID: "k", Algorithm: alg, Private: pairs()[es]}); err == nil {
			t.Errorf("algorithm %q: expected an error", alg)
		}
	}
}

func TestParseAlgorithm(t *testing.T) {
	t.Parallel()
	for _, alg := range token.Algorithms() {
		if got, err := token.ParseAlgorithm(string(alg)); got != alg || err != nil {
			t.Errorf("ParseAlgorithm(%q) = %q, %v", alg, got, err)
		}
	}
	for _, name := range []string{"", "none", "HS256", "es256", " ES256", "ES512", "RS384", "Ed25519"} {
		got, err := token.ParseAlgorithm(name)
		if got != "" || err == nil || !strings.Contains(err.Error(), "ES256, ES384, EdDSA, RS256, PS256") {
			t.Errorf("ParseAlgorithm(%q) = %q, %v; expected an error that lists the known ones", name, got, err)
		}
	}
}

// Every check has its own text, fit for error_description (RFC 6750 section 3).
func TestDescriptions(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, check := range []token.Check{
		token.CheckFormat, token.CheckType, token.CheckKey, token.CheckAlgorithm, token.CheckSignature, token.CheckIssuer,
		token.CheckAudience, token.CheckExpired, token.CheckNotYet, token.CheckIdentity, token.CheckRevoked, token.CheckClient,
		token.CheckEntitlement, "unknown",
	} {
		text := check.Description()
		printable := !strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' })
		if text == "" || !printable || seen[text] {
			t.Errorf("%s: description %q", check, text)
		}
		seen[text] = true
	}
}
