package proof

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/maypok86/otter/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// publicKey is the key of a proof.
type publicKey struct {
	public     crypto.PublicKey
	thumbprint string // RFC 7638
}

// written is how a key stands in proofs, by the hash of its text, and what it was used with.
type written struct {
	text [sha256.Size]byte
	alg  token.Algorithm
}

// maxKeys is how many keys are remembered: 2 to 4 MB.
const maxKeys = 4096

// publicKeys remembers the keys of good proofs: those of a client all have the same.
// What is read of a key depends on its text alone.
type publicKeys struct {
	known *otter.Cache[written, publicKey]
}

func newPublicKeys() publicKeys {
	return publicKeys{otter.Must(&otter.Options[written, publicKey]{
		MaximumSize: maxKeys,
		Executor:    func(keepOrder func()) { keepOrder() }, // a goroutine would cost more than that
	})}
}

// verify returns the key of a proof that is signed with it, and bound to the thumbprint
// unless that is empty. Errors are [*Error].
func (k publicKeys) verify(proof *token.Proof, thumbprint string) (publicKey, error) {
	id := written{sha256.Sum256(proof.JWK), proof.Algorithm}
	key, known := k.known.GetIfPresent(id)
	if !known {
		var err error
		if key, err = readKey(proof.JWK, proof.Algorithm); err != nil {
			return publicKey{}, refuse(CheckKey, err)
		}
	}
	if thumbprint != "" && thumbprint != key.thumbprint {
		return publicKey{}, refuse(CheckBinding, nil)
	}
	if err := proof.Verify(key.public); err != nil {
		return publicKey{}, ofMessage(err)
	}
	if !known {
		k.known.Set(id, key)
	}
	return key, nil
}

// readKey reads the `jwk` of a proof: a public key that may be used for signatures
// with alg. Errors quote nothing.
func readKey(text []byte, alg token.Algorithm) (publicKey, error) {
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(text); err != nil {
		return publicKey{}, errors.New("jwk: expected a JSON Web Key of a known kind")
	}
	if !jwk.IsPublic() { // a private key in a header is stolen (RFC 9449 section 4.3, check 7)
		return publicKey{}, errors.New("jwk: expected a public key")
	}
	if named, ok := token.AlgorithmOf(jwk.Algorithm); jwk.Algorithm != "" && (!ok || named != alg) {
		return publicKey{}, errors.New("jwk: alg: expected that of the header")
	}
	if jwk.Use != "" && jwk.Use != "sig" {
		return publicKey{}, errors.New("jwk: use: expected sig")
	}
	if err := alg.CheckKey(jwk.Key); err != nil {
		return publicKey{}, fmt.Errorf("jwk: %w", err)
	}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return publicKey{}, errors.New("jwk: no thumbprint can be made of it")
	}
	return publicKey{jwk.Key, base64.RawURLEncoding.EncodeToString(sum)}, nil
}
