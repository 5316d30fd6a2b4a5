package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// Algorithm is a JWS signature algorithm that this project signs and verifies
// with (RFC 7518, RFC 8037). Only asymmetric ones exist here.
type Algorithm string

// The algorithms; ES256 is the default.
const (
	ES256 Algorithm = "ES256"
	ES384 Algorithm = "ES384"
	EdDSA Algorithm = "EdDSA"
	RS256 Algorithm = "RS256"
	PS256 Algorithm = "PS256"
)

// Algorithms lists them all, the default first.
func Algorithms() []Algorithm { return []Algorithm{ES256, ES384, EdDSA, RS256, PS256} }

// ParseAlgorithm reads an algorithm's name. The error names the word and what
// was expected.
func ParseAlgorithm(name string) (Algorithm, error) {
	names := make([]string, 0, len(Algorithms()))
	for _, alg := range Algorithms() {
		if name == string(alg) {
			return alg, nil
		}
		names = append(names, string(alg))
	}
	return "", fmt.Errorf("unknown signature algorithm %q: expected one of %s", name, strings.Join(names, ", "))
}

// AlgorithmOf returns the algorithm that somebody else's JWS or JWK names. The
// name Ed25519 (RFC 9864 section 2.2) is another one for EdDSA, of which no
// other curve exists here. ok is false for every other name, `none` and the
// symmetric ones included.
func AlgorithmOf(name string) (alg Algorithm, ok bool) {
	if name == "Ed25519" {
		return EdDSA, true
	}
	alg = Algorithm(name)
	return alg, alg.method() != nil
}

// AlgorithmNames lists all names that [AlgorithmOf] knows, for metadata.
func AlgorithmNames() []string {
	names := make([]string, 0, len(Algorithms())+1)
	for _, alg := range Algorithms() {
		names = append(names, string(alg))
		if alg == EdDSA {
			names = append(names, "Ed25519")
		}
	}
	return names
}

// SigningKey is what tokens are signed with. Algorithm and key are pinned
// together by whoever made it.
type SigningKey struct {
	ID        string // kid
	Algorithm Algorithm
	Private   crypto.Signer
}

// VerificationKey is the public half of a [SigningKey]: a token's header may
// select it by its ID, and never says which algorithm it is for.
type VerificationKey struct {
	ID        string // kid
	Algorithm Algorithm
	Public    crypto.PublicKey
}

// MinRSABits is below what no RSA key signs or verifies, and MaxRSABits above:
// RFC 7518 section 3.3 asks for the first; the second bounds what a key that
// somebody else chose can cost, and is what go-jose reads.
const (
	MinRSABits = 2048
	MaxRSABits = 4096
)

// CheckKey says whether a public key can be used with the algorithm: its type,
// its curve, its size. Errors say nothing of the key's value.
func (a Algorithm) CheckKey(public crypto.PublicKey) error {
	switch a {
	case ES256:
		return checkCurve(public, elliptic.P256(), a)
	case ES384:
		return checkCurve(public, elliptic.P384(), a)
	case EdDSA:
		if key, ok := public.(ed25519.PublicKey); !ok || len(key) != ed25519.PublicKeySize {
			return fmt.Errorf("%s needs an Ed25519 key", a)
		}
		return nil
	case RS256, PS256:
		key, ok := public.(*rsa.PublicKey)
		if !ok {
			return fmt.Errorf("%s needs an RSA key", a)
		}
		if bits := key.N.BitLen(); bits < MinRSABits || bits > MaxRSABits {
			return fmt.Errorf("an RSA key of %d bits: expected %d to %d", bits, MinRSABits, MaxRSABits)
		}
		return nil
	}
	_, err := ParseAlgorithm(string(a))
	return err
}

func checkCurve(public crypto.PublicKey, curve elliptic.Curve, alg Algorithm) error {
	if key, ok := public.(*ecdsa.PublicKey); !ok || key.Curve != curve {
		return fmt.Errorf("%s needs a key on %s", alg, curve.Params().Name)
	}
	return nil
}

// method is golang-jwt's implementation of an algorithm; nil for a name that
// is not one of ours ("none" and the symmetric ones included).
func (a Algorithm) method() jwt.SigningMethod {
	switch a {
	case ES256:
		return jwt.SigningMethodES256
	case ES384:
		return jwt.SigningMethodES384
	case EdDSA:
		return jwt.SigningMethodEdDSA
	case RS256:
		return jwt.SigningMethodRS256
	case PS256:
		return ps256
	}
	return nil
}
