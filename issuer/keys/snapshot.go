package keys

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// snapshot is one state of the document, ready to be used by many at once. It
// is never changed.
type snapshot struct {
	document
	stored     bool              // false: there is no document yet
	source     [sha256.Size]byte // hash of the stored document
	signers    []*token.Signer
	verifying  map[string]token.VerificationKey // by kid
	headers    map[string]token.VerificationKey // by the header that their signers write
	jwks       []byte
	etag       string
	generation uint64
}

// newSnapshot prepares a stored document, nil where there is none. before is
// the snapshot that it follows, nil for the first.
func newSnapshot(raw []byte, before *snapshot) (*snapshot, error) {
	s := &snapshot{stored: raw != nil, source: sha256.Sum256(raw)}
	if raw != nil {
		var err error
		if s.document, err = decode(raw); err != nil {
			return nil, err
		}
	}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	if before != nil {
		s.generation = before.generation
		if s.etag != before.etag {
			s.generation++
		}
	}
	return s, nil
}

// of tells whether the snapshot was made from this document, nil for none.
func (s *snapshot) of(raw []byte) bool {
	return s.stored == (raw != nil) && s.source == sha256.Sum256(raw)
}

func (s *snapshot) prepare() error {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	s.verifying = make(map[string]token.VerificationKey, len(s.keys))
	s.headers = make(map[string]token.VerificationKey, len(s.keys))
	for _, key := range s.keys {
		signer, err := token.NewSigner(token.SigningKey{ID: key.id, Algorithm: key.alg, Private: key.private})
		if err != nil {
			return err
		}
		jwk, err := publicJWK(key.private.Public(), key.alg)
		if err != nil {
			return err
		}
		s.signers = append(s.signers, signer)
		verifying := token.VerificationKey{ID: key.id, Algorithm: key.alg, Public: key.private.Public()}
		s.verifying[key.id], s.headers[signer.Header()] = verifying, verifying
		set.Keys = append(set.Keys, jwk)
	}
	body, err := json.Marshal(set)
	if err != nil {
		return fmt.Errorf("encoding the key set: %w", err)
	}
	sum := sha256.Sum256(body)
	s.jwks, s.etag = body, `"`+base64.RawURLEncoding.EncodeToString(sum[:16])+`"`
	return nil
}

// signing is the kid of the key that signs at the moment; empty without keys.
func (s *snapshot) signing(now time.Time) string {
	if len(s.keys) == 0 {
		return ""
	}
	return s.keys[s.active(now)].id
}
