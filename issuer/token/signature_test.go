package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

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
