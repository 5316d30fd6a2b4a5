package token_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

const es = token.ES256

// forged signs claims that would pass, under the header given.
func forged(header members) string { return forge(es, header.json(), goodClaims.json()) }

// The forger of these tests makes tokens that pass: the refusals below are not
// for another reason.
func TestForgedTokenPassesWhenNothingIsWrong(t *testing.T) {
	t.Parallel()
	for _, alg := range token.Algorithms() {
		claims := expectClaims(t, forge(alg, goodHeader(alg).json(), goodClaims.json()))
		if claims.ClientID != "batch" || claims.Expires != 1700003600 || !claims.HasAudience("https://api.example") {
			t.Errorf("%s: claims %+v", alg, claims)
		}
	}
}

// RFC 8725 section 3.10: a token brings no key with it, and makes this server
// fetch nothing.
func TestKeysInTheHeaderAreIgnored(t *testing.T) {
	t.Parallel()
	var fetched atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	defer server.Close()
	// The attacker signs with a pair of his own, and names it in the header.
	own := members{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
	for name, value := range map[string]any{
		"jwk": own, "jku": server.URL, "x5u": server.URL, "x5c": []string{"MIIB"}, "x5t": "AAAA", "x5t#S256": "AAAA",
	} {
		t.Run(name, func(t *testing.T) {
			attack := goodHeader(es).with(name, value)
			keys := ring{"ES256": {ID: "ES256", Algorithm: token.EdDSA, Public: pairs()[token.EdDSA].Public()}}
			expectRefusal(t, forge(es, attack.json(), goodClaims.json()), keys, token.CheckAlgorithm)
			expectRefusal(t, forge(es, attack.with("kid", "unknown").json(), goodClaims.json()), known(), token.CheckKey)
			expectRefusal(t, forge(es, attack.without("kid").json(), goodClaims.json()), known(), token.CheckKey)
			// Beside a good signature they change nothing.
			expectClaims(t, forge(es, attack.json(), goodClaims.json()))
		})
	}
	if count := fetched.Load(); count != 0 {
		t.Errorf("%d fetches", count)
	}
}

// RFC 7515 section 4.1.11: an extension that must be understood is refused,
// whatever it is called; `b64` (RFC 7797) changes what was signed.
func TestCriticalExtensions(t *testing.T) {
	t.Parallel()
	for name, critical := range map[string]any{
		"unknown": []string{"exp"}, "b64": []string{"b64"}, "registered": []string{"alg"},
		"empty": []string{}, "null": nil, "text": "b64", "false": false,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := goodHeader(es).with("crit", critical).with("b64", false)
			expectRefusal(t, forged(header), known(), token.CheckFormat)
		})
	}
	// Without crit, b64 means nothing: the payload is what it always is.
	expectClaims(t, forged(goodHeader(es).with("b64", false)))
}

// RFC 8725 section 3.11: a token made for another purpose does not pass, though
// it was signed with the same key.
func TestTypes(t *testing.T) {
	t.Parallel()
	for typ, passes := range map[any]bool{
		"at+jwt": true, "AT+JWT": true, "At+Jwt": true,
		"application/at+jwt": true, "APPLICATION/AT+JWT": true, "Application/at+jwt": true,
		"JWT": false, "jwt": false, "": false, "at": false, "at+jwt ": false, " at+jwt": false, "at+jwt\x00": false,
		"application/": false, "application/jwt": false, "application/application/at+jwt": false, "text/at+jwt": false,
		"dpop+jwt": false, "client-authentication+jwt": false, "token-introspection+jwt": false, "logout+jwt": false,
		nil: false, 1: false, true: false,
	} {
		raw := forged(goodHeader(es).with("typ", typ))
		if passes {
			expectClaims(t, raw)
		} else {
			expectRefusal(t, raw, known(), token.CheckType)
		}
	}
	expectRefusal(t, forged(goodHeader(es).without("typ")), known(), token.CheckType)
}

func TestUnknownKeys(t *testing.T) {
	t.Parallel()
	for name, kid := range map[string]any{
		"unknown": "other", "empty": "", "another case": "es256",
		"a path": "../../../../dev/null", "SQL": "x' UNION SELECT 'k",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectRefusal(t, forged(goodHeader(es).with("kid", kid)), known(), token.CheckKey)
		})
	}
	for _, kid := range []any{1, nil, true, []string{"ES256"}, map[string]any{"ES256": "ES256"}} { // RFC 7515 section 4.1.4
		expectRefusal(t, forged(goodHeader(es).with("kid", kid)), known(), token.CheckFormat)
	}
	expectRefusal(t, forged(goodHeader(es).without("kid")), known(), token.CheckKey)
	expectRefusal(t, forged(goodHeader(es)), ring{}, token.CheckKey)
}

// What is refused never shows in the error: it goes to the log.
func TestErrorsDoNotQuote(t *testing.T) {
	t.Parallel()
	const marker = "ZZsecretZZ"
	for _, raw := range []string{
		marker, marker + ".a.b", "a." + marker + ".b",
		forge(es, `{"`+marker+`"`, "{}"),
		forge(es, goodHeader(es).with("typ", marker).json(), "{}"),
		forge(es, goodHeader(es).with("kid", marker).json(), "{}"),
		forge(es, goodHeader(es).with("alg", marker).json(), "{}"),
		forge(es, goodHeader(es).json(), `{"a":`+marker+`}`),
		forge(es, goodHeader(es).json(), `{"`+marker+`":1,"`+marker+`":1}`),
		forge(es, goodHeader(es).json(), goodClaims.with("exp", marker).json()),
		forge(es, goodHeader(es).json(), goodClaims.with("cnf", members{marker: marker}).json()),
		forge(es, goodHeader(es).json(), goodClaims.with("scope", marker+"\n").json()),
	} {
		_, err := parse(t, raw, known())
		if err == nil || strings.Contains(err.Error(), marker) {
			t.Errorf("error %v: expected one that does not quote", err)
		}
		check, _ := token.Failed(err)
		if text := check.Description(); strings.ContainsAny(text, "\"\\") || text == "" {
			t.Errorf("description %q: not fit for error_description", text)
		}
	}
}
