// Package tokentest makes signed statements of every shape, good and bad ones,
// for tests of what reads them. It knows nothing of the code that is tested:
// all it uses is the standard library.
package tokentest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"testing"
)

// Members are those of a JSON object.
type Members map[string]any

// With returns the members with some of them changed; nil takes one out.
func (m Members) With(changes Members) Members {
	changed := Members{}
	for _, from := range []Members{m, changes} {
		for name, value := range from {
			if changed[name] = value; value == nil {
				delete(changed, name)
			}
		}
	}
	return changed
}

// Key is a key pair and the algorithm that it signs with.
type Key struct {
	Algorithm string // ES256, ES384, EdDSA, RS256 or PS256
	Private   crypto.Signer
}

// NewKey makes a key. A problem fails the test.
func NewKey(t testing.TB, alg string) Key {
	t.Helper()
	var private crypto.Signer
	var err error
	switch alg {
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatalf("making a key for %s: %v", alg, err)
	}
	return Key{Algorithm: alg, Private: private}
}

// Sign returns a compact JWS (RFC 7515) of header and claims. The header's `alg`
// is that of the key unless the header has one.
func (k Key) Sign(t testing.TB, header, claims Members) string {
	t.Helper()
	if _, named := header["alg"]; !named {
		header = header.With(Members{"alg": k.Algorithm})
	}
	return k.SignText(t, encode(t, header), encode(t, claims))
}

// SignText is [Key.Sign] of JSON texts, which need not be any.
func (k Key) SignText(t testing.TB, header, claims string) string {
	t.Helper()
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	return signed + "." + base64.RawURLEncoding.EncodeToString(k.signature(t, signed))
}

func (k Key) signature(t testing.TB, signed string) []byte {
	t.Helper()
	short, long := sha256.Sum256([]byte(signed)), sha512.Sum384([]byte(signed))
	var signature []byte
	var err error
	switch private := k.Private.(type) {
	case *ecdsa.PrivateKey:
		digest := short[:]
		if private.Curve == elliptic.P384() {
			digest = long[:]
		}
		signature, err = signECDSA(private, digest)
	case ed25519.PrivateKey:
		signature = ed25519.Sign(private, []byte(signed))
	case *rsa.PrivateKey:
		if k.Algorithm == "PS256" {
			signature, err = rsa.SignPSS(rand.Reader, private, crypto.SHA256, short[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			signature, err = rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, short[:])
		}
	}
	if err != nil {
		t.Fatalf("signing with %s: %v", k.Algorithm, err)
	}
	return signature
}

// signECDSA writes a signature as RFC 7518 section 3.4 has it.
func signECDSA(private *ecdsa.PrivateKey, digest []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, private, digest)
	if err != nil {
		return nil, err
	}
	size := (private.Curve.Params().BitSize + 7) / 8
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), nil
}

// JWK is the public key (RFC 7517) with its required members alone.
func (k Key) JWK() Members {
	encoded := base64.RawURLEncoding.EncodeToString
	switch public := k.Private.Public().(type) {
	case *ecdsa.PublicKey:
		size := (public.Curve.Params().BitSize + 7) / 8
		point, err := public.Bytes()
		if err != nil {
			panic(err) // a key that was just made
		}
		return Members{"kty": "EC", "crv": public.Curve.Params().Name, "x": encoded(point[1 : 1+size]), "y": encoded(point[1+size:])}
	case ed25519.PublicKey:
		return Members{"kty": "OKP", "crv": "Ed25519", "x": encoded(public)}
	case *rsa.PublicKey:
		return Members{"kty": "RSA", "n": encoded(public.N.Bytes()), "e": encoded(big.NewInt(int64(public.E)).Bytes())}
	}
	return nil
}

// PrivateJWK is the key pair (RFC 7518 section 6), for those who must refuse it.
func (k Key) PrivateJWK() Members {
	encoded := base64.RawURLEncoding.EncodeToString
	switch private := k.Private.(type) {
	case *ecdsa.PrivateKey:
		d, err := private.Bytes()
		if err != nil {
			panic(err) // a key that was just made
		}
		return k.JWK().With(Members{"d": encoded(d)})
	case ed25519.PrivateKey:
		return k.JWK().With(Members{"d": encoded(private.Seed())})
	case *rsa.PrivateKey:
		return k.JWK().With(Members{
			"d": encoded(private.D.Bytes()), "p": encoded(private.Primes[0].Bytes()), "q": encoded(private.Primes[1].Bytes()),
		})
	}
	return nil
}

// Thumbprint is the JWK thumbprint (RFC 7638) with SHA-256. The members of
// [Key.JWK] are the required ones, and encoding/json sorts them.
func (k Key) Thumbprint(t testing.TB) string {
	t.Helper()
	sum := sha256.Sum256([]byte(encode(t, k.JWK())))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Proof is a DPoP proof (RFC 9449 section 4.2) with the claims, by the key.
func (k Key) Proof(t testing.TB, claims Members) string {
	t.Helper()
	return k.Sign(t, Members{"typ": "dpop+jwt", "jwk": k.JWK()}, claims)
}

// Set is the JWK set of the keys, whose kids are their thumbprints.
func Set(t testing.TB, keys ...Key) string {
	t.Helper()
	list := make([]Members, 0, len(keys))
	for _, key := range keys {
		list = append(list, key.JWK().With(Members{"kid": key.Thumbprint(t), "use": "sig", "alg": key.Algorithm}))
	}
	return encode(t, Members{"keys": list})
}

func encode(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatalf("encoding: %v", err)
	}
	return string(text)
}
