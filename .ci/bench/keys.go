package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"time"
)

// keys is the key pair of the client that signs assertions and proofs, and of
// the trusted issuers.
type keys struct {
	private     *ecdsa.PrivateKey
	public      map[string]string // as a JWK
	certificate *tls.Certificate
}

func newKeys() (*keys, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	point, err := private.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return nil, err
	}
	made := &keys{private: private, public: map[string]string{
		"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:]),
	}}
	made.certificate, err = certificate(private)
	return made, err
}

// write leaves the public key, and the certificate, in the files that Caddyfiles name.
func (k *keys) write(folder string) error {
	der, err := x509.MarshalPKIXPublicKey(&k.private.PublicKey)
	if err != nil {
		return err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	if err := os.WriteFile(filepath.Join(folder, "key.pem"), block, 0o600); err != nil {
		return err
	}
	set, err := json.Marshal(map[string]any{"keys": []any{k.public}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "jwks.json"), set, 0o600); err != nil {
		return err
	}
	return k.writeCertificate(folder)
}

// sign makes a JWS of a header and claims that are maps of strings and numbers.
func (k *keys) sign(header, claims map[string]any) string {
	header["alg"] = "ES256"
	text := encode(marshal(header)) + "." + encode(marshal(claims))
	hash := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, k.private, hash[:])
	if err != nil {
		panic(err) // a key of our own making
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + encode(signature[:])
}

// assertion authenticates a client at an issuer (RFC 7523 section 3).
func (k *keys) assertion(clientID, issuer string) string {
	return k.sign(map[string]any{}, map[string]any{
		"iss": clientID, "sub": clientID, "aud": issuer, "jti": rand.Text(), "exp": time.Now().Add(time.Minute).Unix(),
	})
}

// proof is one of possession (RFC 9449 section 4.2), for a request with the access
// token; empty: for a token.
func (k *keys) proof(method, url, token string) string {
	claims := map[string]any{"htm": method, "htu": url, "jti": rand.Text(), "iat": time.Now().Unix()}
	if token != "" {
		hash := sha256.Sum256([]byte(token))
		claims["ath"] = encode(hash[:])
	}
	return k.sign(map[string]any{"typ": "dpop+jwt", "jwk": k.public}, claims)
}

// foreign is an access token of a trusted issuer.
func (k *keys) foreign(issuer, audience string) string {
	now := time.Now()
	return k.sign(map[string]any{"typ": "at+jwt"}, map[string]any{
		"iss": issuer, "sub": "bench", "aud": audience, "client_id": "bench", "jti": rand.Text(), "scope": "read",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
}

func marshal(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // maps of strings and numbers
	}
	return text
}

func encode(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }
