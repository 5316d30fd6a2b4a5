package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// rsaBits is the size of new RSA keys. 2048 is what RFC 7518 sections 3.3 and
// 3.5 ask for at least, and strong enough for a key that signs for weeks. One
// of 3072 bits takes 2.3 times as long to sign, which is done once per token
// request; who wants more than 2048 bits give has ES256, stronger than either
// and faster by far.
const rsaBits = 2048

// Generate makes a private key for the algorithm. The error names an algorithm
// that is not one of [token.Algorithms].
func Generate(alg token.Algorithm) (crypto.Signer, error) {
	switch alg {
	case token.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case token.ES384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case token.EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case token.RS256, token.PS256:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	}
	_, err := token.ParseAlgorithm(string(alg))
	return nil, err
}

// publicJWK is the key as others see it (RFC 7517 section 4): public members
// alone, bound to one use and one algorithm. Its `kid` is the RFC 7638
// thumbprint, so a kid can never come to mean another key.
func publicJWK(public crypto.PublicKey, alg token.Algorithm) (jose.JSONWebKey, error) {
	jwk := jose.JSONWebKey{Key: public, Use: "sig", Algorithm: string(alg)}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("thumbprint of a key for %s: %w", alg, err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	return jwk, nil
}
