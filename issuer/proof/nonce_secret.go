package proof

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// NonceDocument is the document that the secret of [Nonces] is kept in, so that
// a nonce outlives a restart and is good at every instance on one store.
const NonceDocument = "nonce.json"

// nonceDocument is how the secret is stored.
type nonceDocument struct {
	Secret string `json:"secret"` // unpadded base64url of 32 random bytes
}

// Load takes over the stored secret, and makes none: a missing document is no
// error. One that cannot be read is an error that names it; the secret known
// before stays in use.
func (n *Nonces) Load(ctx context.Context, docs store.Documents) error {
	data, err := docs.Load(ctx, NonceDocument)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("loading the secret of nonces: %w", err)
	}
	secret, err := decodeSecret(data)
	if err != nil {
		return fmt.Errorf("loading the secret of nonces: %w", err)
	}
	n.secret.Store(secret)
	return nil
}

// Make takes over the stored secret, and makes and stores one where there is
// none.
func (n *Nonces) Make(ctx context.Context, docs store.Documents) error {
	if err := n.Load(ctx, docs); err != nil || n.Ready() {
		return err
	}
	var secret *[secretLength]byte
	err := docs.Update(ctx, NonceDocument, func(old []byte) (fresh []byte, err error) {
		if old != nil { // another instance was faster
			secret, err = decodeSecret(old)
			return nil, err
		}
		secret = newSecret()
		return encodeSecret(secret)
	})
	if err != nil {
		return fmt.Errorf("storing the secret of nonces: %w", err)
	}
	n.secret.Store(secret)
	return nil
}

func encodeSecret(secret *[secretLength]byte) ([]byte, error) {
	return json.Marshal(nonceDocument{Secret: base64.RawURLEncoding.EncodeToString(secret[:])})
}

// decodeSecret reads the document strictly: but for white space it must be what
// encodeSecret writes. The error quotes nothing.
func decodeSecret(data []byte) (*[secretLength]byte, error) {
	unreadable := errors.New(NonceDocument + `: expected {"secret":"<unpadded base64url of 32 bytes>"}; it is left as it is`)
	var document nonceDocument
	if err := json.Unmarshal(data, &document); err != nil {
		return nil, unreadable
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(document.Secret)
	if err != nil || len(decoded) != secretLength {
		return nil, unreadable
	}
	secret := (*[secretLength]byte)(decoded)
	again, err := encodeSecret(secret)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil || !bytes.Equal(compact.Bytes(), again) {
		return nil, unreadable
	}
	return secret, nil
}
