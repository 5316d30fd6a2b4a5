package proof

import (
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// publicKey reads the `jwk` of a proof: a public key that may be used for
// signatures with alg, and its RFC 7638 thumbprint. Errors quote nothing.
func publicKey(text []byte, alg token.Algorithm) (key crypto.PublicKey, thumbprint string, err error) {
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(text); err != nil {
		return nil, "", errors.New("jwk: expected a JSON Web Key of a known kind")
	}
	if !jwk.IsPublic() { // a private key in a header is stolen (RFC 9449 section 4.3, check 7)
		return nil, "", errors.New("jwk: expected a public key")
	}
	if named, ok := token.AlgorithmOf(jwk.Algorithm); jwk.Algorithm != "" && (!ok || named != alg) {
		return nil, "", errors.New("jwk: alg: expected that of the header")
	}
	if jwk.Use != "" && jwk.Use != "sig" {
		return nil, "", errors.New("jwk: use: expected sig")
	}
	if err := alg.CheckKey(jwk.Key); err != nil {
		return nil, "", fmt.Errorf("jwk: %w", err)
	}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, "", errors.New("jwk: no thumbprint can be made of it")
	}
	return jwk.Key, base64.RawURLEncoding.EncodeToString(sum), nil
}
