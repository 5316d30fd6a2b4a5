package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
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

// RFC 8725 section 3.1: the key says which algorithm it is for, not the token.
func TestAlgorithmConfusion(t *testing.T) {
	t.Parallel()
	payload := encoded(goodClaims.json())
	for _, alg := range []string{"none", "None", "NONE", "", "HS256", "HS384", "RS384", "ES512", "es256", "Ed25519"} {
		signed := encoded(goodHeader(es).with("alg", alg).json()) + "." + payload
		valid := base64.RawURLEncoding.EncodeToString(sign(es, signed))
		for name, signature := range map[string]string{"without signature": "", "signed with the key": valid} {
			t.Run(alg+" "+name, func(t *testing.T) {
				t.Parallel()
				expectRefusal(t, signed+"."+signature, known(), token.CheckAlgorithm)
			})
		}
	}
	for name, alg := range map[string]any{"number": 1, "null": nil, "array": []string{"ES256"}, "object": members{}} {
		t.Run("alg as "+name, func(t *testing.T) {
			t.Parallel()
			expectRefusal(t, forged(goodHeader(es).with("alg", alg)), known(), token.CheckAlgorithm)
		})
	}
	t.Run("no alg", func(t *testing.T) {
		t.Parallel()
		expectRefusal(t, forged(goodHeader(es).without("alg")), known(), token.CheckAlgorithm)
	})
}

// Everyone has the public key: it must not serve as a shared secret.
func TestPublicKeyAsSharedSecret(t *testing.T) {
	t.Parallel()
	for _, alg := range token.Algorithms() {
		der, err := x509.MarshalPKIXPublicKey(pairs()[alg].Public())
		if err != nil {
			t.Fatal(err)
		}
		secrets := map[string][]byte{
			"DER": der,
			"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		}
		if key, ok := pairs()[alg].Public().(*rsa.PublicKey); ok {
			secrets["PKCS#1"] = x509.MarshalPKCS1PublicKey(key)
		}
		signed := encoded(goodHeader(alg).with("alg", "HS256").json()) + "." + encoded(goodClaims.json())
		for _, secret := range secrets {
			raw := signed + "." + base64.RawURLEncoding.EncodeToString(hs256(secret, signed))
			expectRefusal(t, raw, known(), token.CheckAlgorithm)
		}
	}
}

// A key of one algorithm never verifies for another one, also where both share
// a type of key, or where the kid is another key's.
func TestKeyAndAlgorithmArePinned(t *testing.T) {
	t.Parallel()
	for _, alg := range token.Algorithms() {
		for _, other := range token.Algorithms() {
			if alg == other {
				continue
			}
			header := goodHeader(alg)
			expectRefusal(t, forge(alg, header.with("kid", string(other)).json(), goodClaims.json()), known(), token.CheckAlgorithm)
			header = header.with("kid", string(other)).with("alg", string(other))
			expectRefusal(t, forge(alg, header.json(), goodClaims.json()), known(), token.CheckSignature)
		}
	}
	// One RSA key that is registered for PS256 refuses an RS256 signature that
	// calls itself PS256.
	keys := ring{"k": {ID: "k", Algorithm: token.PS256, Public: pairs()[token.RS256].Public()}}
	header := goodHeader(token.PS256).with("kid", "k")
	expectRefusal(t, forge(token.RS256, header.json(), goodClaims.json()), keys, token.CheckSignature)
}

// A ring that holds nonsense verifies nothing: no panic, no acceptance.
func TestUnusableKeys(t *testing.T) {
	t.Parallel()
	curve := pairs()[token.ES384].Public()
	for name, key := range map[string]token.VerificationKey{
		"the curve of another algorithm": {Algorithm: es, Public: curve},
		"no key":                         {Algorithm: es},
		"a nil pointer's type":           {Algorithm: es, Public: "text"},
		"a private key":                  {Algorithm: es, Public: pairs()[es]},
		"a key by value":                 {Algorithm: es, Public: *pairs()[es].Public().(*ecdsa.PublicKey)},
		"bytes":                          {Algorithm: es, Public: []byte("secret")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectRefusal(t, forged(goodHeader(es)), ring{"ES256": key}, token.CheckSignature)
		})
	}
	for _, alg := range []token.Algorithm{"", "none", "HS256"} {
		keys := ring{"ES256": {Algorithm: alg, Public: []byte("secret")}}
		expectRefusal(t, forged(goodHeader(es).with("alg", string(alg))), keys, token.CheckAlgorithm)
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
	if claims, err := token.Parse(forged(goodHeader(es)), known()); claims != nil || err == nil {
		t.Error("a token passed although no type was named")
	}
	if _, err := token.Parse(forged(goodHeader(es).with("typ", "jwt")), known(), "at+jwt", "JWT"); err != nil {
		t.Errorf("one of several types: %v", err)
	}
}

func TestUnknownKeys(t *testing.T) {
	t.Parallel()
	for name, kid := range map[string]any{
		"unknown": "other", "empty": "", "another case": "es256", "number": 1, "null": nil,
		"a path": "../../../../dev/null", "SQL": "x' UNION SELECT 'k", "array": []string{"ES256"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectRefusal(t, forged(goodHeader(es).with("kid", kid)), known(), token.CheckKey)
		})
	}
	expectRefusal(t, forged(goodHeader(es).without("kid")), known(), token.CheckKey)
	expectRefusal(t, forged(goodHeader(es)), ring{}, token.CheckKey)
}

// Any other signature than the one over these very bytes fails.
func TestSignatures(t *testing.T) {
	t.Parallel()
	for _, alg := range token.Algorithms() {
		signed := encoded(goodHeader(alg).json()) + "." + encoded(goodClaims.json())
		good := sign(alg, signed)
		flipped := append([]byte(nil), good...)
		flipped[len(flipped)/2] ^= 1
		for name, signature := range map[string][]byte{
			"none":                   {},
			"one byte":               {0},
			"zeros":                  make([]byte, len(good)), // CVE-2022-21449: r = s = 0
			"a bit flipped":          flipped,
			"shorter":                good[:len(good)-1],
			"longer":                 append(append([]byte(nil), good...), 0),
			"twice":                  append(append([]byte(nil), good...), good...),
			"of another token":       sign(alg, encoded(goodHeader(alg).json())+"."+encoded(goodClaims.with("sub", "x").json())),
			"of the payload alone":   sign(alg, encoded(goodClaims.json())),
			"by HMAC with no secret": hs256(nil, signed),
		} {
			t.Run(string(alg)+" "+name, func(t *testing.T) {
				t.Parallel()
				expectRefusal(t, signed+"."+base64.RawURLEncoding.EncodeToString(signature), known(), token.CheckSignature)
			})
		}
	}
}

// An ECDSA signature in ASN.1, as other protocols write it, is not JWS (RFC 7518
// section 3.4): a token has one spelling.
func TestASN1SignatureIsRefused(t *testing.T) {
	t.Parallel()
	signed := encoded(goodHeader(es).json()) + "." + encoded(goodClaims.json())
	digest := crypto.SHA256.New()
	digest.Write([]byte(signed))
	signature, err := pairs()[es].Sign(nil, digest.Sum(nil), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	expectRefusal(t, signed+"."+base64.RawURLEncoding.EncodeToString(signature), known(), token.CheckSignature)
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
		_, err := token.Parse(raw, known(), token.Type)
		if err == nil || strings.Contains(err.Error(), marker) {
			t.Errorf("error %v: expected one that does not quote", err)
		}
		check, _ := token.Failed(err)
		if text := check.Description(); strings.ContainsAny(text, "\"\\") || text == "" {
			t.Errorf("description %q: not fit for error_description", text)
		}
	}
}
