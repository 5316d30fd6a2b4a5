package token_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

func withClaim(name string, value any) string {
	return forge(es, goodHeader(es).json(), goodClaims.with(name, value).json())
}

func raw(text string) json.RawMessage { return json.RawMessage(text) }

// A claim of the wrong type is refused, not taken for an absent one: an absent
// nbf, cnf or scope allows more than a present one.
func TestClaimsOfTheWrongType(t *testing.T) {
	t.Parallel()
	notText := []any{1, 1.5, true, nil, []string{"a"}, members{"a": 1}}
	notDate := []any{
		"1700003600", "", "2026-01-01T00:00:00Z", true, nil, []int{1}, members{}, -1, -0.1, raw("1e300"), raw("1e999"),
		raw("-1e999"), raw("9007199254740993e3"), uint64(math.MaxUint64), raw("9223372036854775808"),
	}
	wrong := map[string][]any{
		"iss": notText, "sub": notText, "client_id": notText, "jti": notText,
		"exp": notDate, "nbf": notDate, "iat": notDate,
		"aud":   {1, true, nil, members{}, []any{1}, []any{"a", nil}, []any{[]any{"a"}}, []any{"a", members{}}},
		"roles": {"admin", 1, true, nil, members{}, []any{1}, []any{"a", nil}, []any{members{"value": "admin"}}},
		"scope": {
			1, nil, []string{"a"}, []any{}, members{}, "", " ", " a", "a ", "a  b", "a\tb", "a\nb", "a\"", "a\\", "é", "a\x7f", "a\x00",
		},
		"cnf": {
			nil, "x", 1, []any{}, members{}, members{"jkt": ""}, members{"jkt": 1}, members{"jkt": nil}, members{"jwk": members{}},
			members{"kid": "k"}, members{"jku": "https://x"}, members{"jwe": "x"}, members{"x5t": "x"},
			members{"JKT": "x"}, members{"X5T#S256": "x"}, members{"jkt": "x", "kid": "k"},
			members{"x5t#S256": []string{"x"}},
		},
	}
	for name, values := range wrong {
		for _, value := range values {
			expectRefusal(t, withClaim(name, value), known(), token.CheckFormat)
		}
	}
}

// Names are compared case-sensitively: encoding/json alone would take "ISS"
// for iss, and let the one that stands last win.
func TestCaseOfMemberNames(t *testing.T) {
	t.Parallel()
	variants := members{
		"ISS": "https://evil.example", "Aud": "https://evil.example", "EXP": 9999999999, "Scope": "admin", "CLIENT_ID": "admin",
		"Cnf": members{"jkt": "x"}, "ſub": "admin", "\u212Aid": "x", "NBF": 9999999999,
	}
	claims := goodClaims
	for name, value := range variants {
		claims = claims.with(name, value)
	}
	got := expectClaims(t, forge(es, goodHeader(es).json(), claims.json()))
	if want := expectClaims(t, forged(goodHeader(es))); got.Issuer != want.Issuer || got.Subject != want.Subject ||
		!reflect.DeepEqual(got.Audience, want.Audience) || got.Expires != want.Expires || got.NotBefore != 0 ||
		got.Scope.String() != want.Scope.String() || got.ClientID != want.ClientID || got.Confirmation != nil {
		t.Errorf("claims %+v, expected those of the exact names", got)
	}
	if len(got.Extra) != len(variants) {
		t.Errorf("%d extra claims, expected %d", len(got.Extra), len(variants))
	}
	for name, check := range map[string]token.Check{"alg": token.CheckAlgorithm, "typ": token.CheckType, "kid": token.CheckKey} {
		header := goodHeader(es)
		upper := map[string]string{"alg": "ALG", "typ": "Typ", "kid": "KID"}[name]
		expectRefusal(t, forged(header.without(name).with(upper, header[name])), known(), check)
	}
	expectClaims(t, forged(goodHeader(es).with("CRIT", []string{"x"})))
}

func TestClaimsThatPass(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		value any
		read  func(*token.Claims) any
		want  any
	}{
		{"aud", "a", func(c *token.Claims) any { return c.Audience }, []string{"a"}},
		{"aud", []string{"a"}, func(c *token.Claims) any { return c.Audience }, []string{"a"}},
		{"aud", []string{"a", "b"}, func(c *token.Claims) any { return c.Audience }, []string{"a", "b"}},
		{"aud", []string{}, func(c *token.Claims) any { return c.Audience }, []string(nil)},
		{"exp", raw("1.7e9"), func(c *token.Claims) any { return c.Expires }, int64(1700000000)},
		{"exp", raw("1700000000.999"), func(c *token.Claims) any { return c.Expires }, int64(1700000000)},
		{"exp", 0, func(c *token.Claims) any { return c.Expires }, int64(0)},
		{"nbf", 0, func(c *token.Claims) any { return c.NotBefore }, int64(0)}, // some issuers write it for "none"
		{"nbf", 5, func(c *token.Claims) any { return c.NotBefore }, int64(5)},
		{"exp", int64(1) << 53, func(c *token.Claims) any { return c.Expires }, int64(1) << 53},
		{"scope", "b a b", func(c *token.Claims) any { return c.Scope }, token.Scopes{"b", "a"}},
		{"roles", []string{"r"}, func(c *token.Claims) any { return c.Roles }, []string{"r"}},
		{"cnf", members{"jkt": "x"}, func(c *token.Claims) any { return *c.Confirmation }, token.Confirmation{KeyThumbprint: "x"}},
		{"cnf", members{"jkt": "x", "x5t#S256": "y"}, func(c *token.Claims) any { return *c.Confirmation },
			token.Confirmation{KeyThumbprint: "x", CertificateThumbprint: "y"}},
		{"tenant", "t", func(c *token.Claims) any { return c.Extra["tenant"] }, "t"},
		{"big", raw("12345678901234567890"), func(c *token.Claims) any { return c.Extra["big"] }, json.Number("12345678901234567890")},
	}
	for _, test := range tests {
		claims := expectClaims(t, withClaim(test.name, test.value))
		if got := test.read(claims); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s %v: %#v, expected %#v", test.name, test.value, got, test.want)
		}
	}
	// Absent members are zero values; their absence is the caller's to judge.
	empty := expectClaims(t, forge(es, goodHeader(es).json(), "{}"))
	if !reflect.DeepEqual(empty, &token.Claims{}) {
		t.Errorf("claims %+v, expected zero values", empty)
	}
	if err := empty.CheckTime(time.Unix(1700000000, 0)); err == nil {
		t.Error("a token without exp is taken for one that has not expired")
	}
	if empty.HasAudience("") {
		t.Error("a token without aud is meant for the empty resource")
	}
}

// RFC 9068 section 4: byte for byte.
func TestHasAudience(t *testing.T) {
	t.Parallel()
	claims := token.Claims{Audience: []string{"https://api.example/v1", "https://b.example"}}
	for resource, want := range map[string]bool{
		"https://api.example/v1": true, "https://b.example": true,
		"https://api.example/v1/": false, "https://api.example": false, "https://API.example/v1": false,
		"https://b.example/": false, "b.example": false, "": false, "https://api.example/v1 ": false,
	} {
		if claims.HasAudience(resource) != want {
			t.Errorf("HasAudience(%q) = %t", resource, !want)
		}
	}
}

// Each edge, the second before it and the second after it.
func TestCheckTimeEdges(t *testing.T) {
	t.Parallel()
	const now, leeway = 1700000000, int64(token.Leeway / time.Second)
	tests := []struct {
		name          string
		iat, nbf, exp int64
		check         token.Check // empty: it passes
	}{
		{"young", now, 0, now + 3600, ""},
		{"a second left", now, 0, now + 1, ""},
		{"ends now: leeway", now - 10, 0, now, ""},
		{"last second of the leeway", 1, 0, now - leeway + 1, ""},
		{"leeway over", 1, 0, now - leeway, token.CheckExpired},
		{"long expired", 1, 0, 2, token.CheckExpired},
		{"no exp", now, 0, 0, token.CheckExpired},
		{"negative exp", now, 0, math.MinInt64, token.CheckExpired},
		{"no iat", 0, 0, now + 1, ""},
		{"iat ahead by the leeway", now + leeway, 0, now + 3600, ""},
		{"iat a second further ahead", now + leeway + 1, 0, now + 3600, token.CheckNotYet},
		{"iat far ahead", 1 << 53, 0, 1 << 53, token.CheckNotYet},
		{"nbf past", now, now - 1, now + 3600, ""},
		{"nbf ahead by the leeway", now, now + leeway, now + 3600, ""},
		{"nbf a second further ahead", now, now + leeway + 1, now + 3600, token.CheckNotYet},
		{"expired and not yet valid", now + 3600, 0, 1, token.CheckExpired},
	}
	for _, test := range tests {
		claims := token.Claims{IssuedAt: test.iat, NotBefore: test.nbf, Expires: test.exp}
		// A fraction of the second makes no difference.
		for _, fraction := range []int64{0, 999999999} {
			check, _ := token.Failed(claims.CheckTime(time.Unix(now, fraction)))
			if check != test.check {
				t.Errorf("%s: check %q, expected %q", test.name, check, test.check)
			}
		}
	}
}

func TestRegistered(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"iss": true, "sub": true, "aud": true, "exp": true, "nbf": true, "iat": true, "jti": true, "client_id": true,
		"scope": true, "scp": true, "cnf": true, "roles": true, "act": true, "tenant": false, "": false, "ISS": false,
	} {
		if token.Registered(name) != want {
			t.Errorf("Registered(%q) = %t", name, !want)
		}
	}
}
