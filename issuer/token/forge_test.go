package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"sync"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Tokens are forged here with the standard library alone: what is tested must
// not be tested against itself.

// ring is a set of verification keys.
type ring map[string]token.VerificationKey

func (r ring) Key(id string) (token.VerificationKey, bool) {
	key, ok := r[id]
	return key, ok
}

// KeyOf finds keys by the headers of goodHeader and of signers, spelt here.
func (r ring) KeyOf(header string) (token.VerificationKey, bool) {
	for id, key := range r {
		text := `{"alg":"` + string(key.Algorithm) + `","typ":"at+jwt","kid":"` + id + `"}`
		good := members{"alg": key.Algorithm, "typ": "at+jwt", "kid": id}
		_, signs := token.AlgorithmOf(string(key.Algorithm))
		if signs && (header == encoded(text) || header == encoded(good.json())) {
			return key, true
		}
	}
	return token.VerificationKey{}, false
}

// reading knows no header, so that each is read.
type reading struct{ token.Keys }

func (reading) KeyOf(string) (token.VerificationKey, bool) { return token.VerificationKey{}, false }

// parse expects the same of a token whether its header is known or read.
func parse(t *testing.T, raw string, keys token.Keys) (*token.Claims, error) {
	t.Helper()
	claims, err := token.Parse(raw, keys)
	read, problem := token.Parse(raw, reading{keys})
	if !reflect.DeepEqual(claims, read) || !reflect.DeepEqual(err, problem) {
		t.Errorf("%v, %v; where the header is read: %v, %v", claims, err, read, problem)
	}
	return claims, err
}

// pairs are one key pair for each algorithm; the kid is the algorithm's name.
// They are made once, since RSA keys take their time.
var pairs = sync.OnceValue(func() map[token.Algorithm]crypto.Signer {
	p256, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, err2 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, ed, err3 := ed25519.GenerateKey(rand.Reader)
	rs, err4 := rsa.GenerateKey(rand.Reader, 2048)
	ps, err5 := rsa.GenerateKey(rand.Reader, 2048)
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			panic(err)
		}
	}
	return map[token.Algorithm]crypto.Signer{
		token.ES256: p256, token.ES384: p384, token.EdDSA: ed, token.RS256: rs, token.PS256: ps,
	}
})

func known() ring {
	keys := make(ring)
	for alg, private := range pairs() {
		keys[string(alg)] = token.VerificationKey{ID: string(alg), Algorithm: alg, Public: private.Public()}
	}
	return keys
}

func newSigner(t testing.TB, alg token.Algorithm) *token.Signer {
	t.Helper()
	signer, err := token.NewSigner(token.SigningKey{ID: string(alg), Algorithm: alg, Private: pairs()[alg]})
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// members is a JSON object.
type members map[string]any

func (m members) with(name string, value any) members {
	changed := members{name: value}
	for other, value := range m {
		if other != name {
			changed[other] = value
		}
	}
	return changed
}

func (m members) without(name string) members {
	changed := m.with(name, nil)
	delete(changed, name)
	return changed
}

func (m members) json() string {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// goodHeader and goodClaims are those of a token that passes.
func goodHeader(alg token.Algorithm) members {
	return members{"alg": string(alg), "typ": "at+jwt", "kid": string(alg)}
}

var goodClaims = members{
	"iss": "https://issuer.example", "sub": "batch", "aud": "https://api.example", "client_id": "batch",
	"iat": 1700000000, "exp": 1700003600, "jti": "id", "scope": "orders:read",
}

func encoded(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// forge signs any header and payload with the key pair of alg.
func forge(alg token.Algorithm, header, payload string) string {
	signed := encoded(header) + "." + encoded(payload)
	return signed + "." + base64.RawURLEncoding.EncodeToString(sign(alg, signed))
}

func sign(alg token.Algorithm, signed string) []byte {
	private := pairs()[alg]
	digest := sha256.Sum256([]byte(signed))
	var signature []byte
	var err error
	switch alg {
	case token.EdDSA:
		signature, err = private.Sign(rand.Reader, []byte(signed), crypto.Hash(0))
	case token.ES256:
		signature, err = signECDSA(private.(*ecdsa.PrivateKey), digest[:], 32)
	case token.ES384:
		long := sha512.Sum384([]byte(signed))
		signature, err = signECDSA(private.(*ecdsa.PrivateKey), long[:], 48)
	case token.RS256:
		signature, err = private.Sign(rand.Reader, digest[:], crypto.SHA256)
	case token.PS256:
		signature, err = private.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256})
	}
	if err != nil {
		panic(err)
	}
	return signature
}

func signECDSA(private *ecdsa.PrivateKey, digest []byte, size int) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, private, digest)
	if err != nil {
		return nil, err
	}
	signature := make([]byte, 2*size)
	r.FillBytes(signature[:size])
	s.FillBytes(signature[size:])
	return signature, nil
}

func hs256(secret []byte, signed string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return mac.Sum(nil)
}

// expectRefusal parses raw, which must fail at the check without any claims.
func expectRefusal(t *testing.T, raw string, keys token.Keys, check token.Check) {
	t.Helper()
	claims, err := parse(t, raw, keys)
	failed, ok := token.Failed(err)
	if claims != nil || !ok || failed != check {
		t.Errorf("claims %v, error %v; expected the check %q to fail", claims, err, check)
	}
}

// expectClaims parses raw, which must pass.
func expectClaims(t *testing.T, raw string) *token.Claims {
	t.Helper()
	claims, err := parse(t, raw, known())
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return claims
}
