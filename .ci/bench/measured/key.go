package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
)

// signer signs a JWT with Go's library and nothing else.
type signer struct {
	prefix string // the encoded header and its dot
	key    crypto.Signer
}

func newSigner(algorithm string) (made signer, err error) {
	switch algorithm {
	case "ES256":
		made.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256":
		made.key, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		return signer{}, fmt.Errorf("algorithm %q: expected ES256 or RS256", algorithm)
	}
	header := `{"alg":"` + algorithm + `","typ":"at+jwt","kid":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}`
	made.prefix = base64.RawURLEncoding.EncodeToString([]byte(header)) + "."
	return made, err
}

func (s signer) sign(payload []byte) (string, error) {
	text := s.prefix + base64.RawURLEncoding.EncodeToString(payload)
	hash := sha256.Sum256([]byte(text))
	var signature []byte
	var err error
	switch key := s.key.(type) {
	case *ecdsa.PrivateKey: // RFC 7518 section 3.4: the two numbers side by side
		var r, value *big.Int
		if r, value, err = ecdsa.Sign(rand.Reader, key, hash[:]); err == nil {
			signature = make([]byte, 64)
			r.FillBytes(signature[:32])
			value.FillBytes(signature[32:])
		}
	case *rsa.PrivateKey:
		signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, hash[:])
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

// verifier checks the signature of a JWS with one key.
type verifier struct{ key *ecdsa.PublicKey }

func newVerifier(path string) (*verifier, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the bench names it
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM in " + path)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return &verifier{key: key.(*ecdsa.PublicKey)}, nil
}

func (v *verifier) good(jws string) bool {
	dot := strings.LastIndexByte(jws, '.')
	if dot < 0 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(jws[dot+1:])
	if err != nil || len(signature) != 64 {
		return false
	}
	hash := sha256.Sum256([]byte(jws[:dot]))
	return ecdsa.Verify(v.key, hash[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
}
