package redis

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
)

// MinKey is the shortest text that an encryption key can be made of, in bytes.
const MinKey = 32

// A sealed document is a byte for the form, the ID of the key, a nonce, and what
// AES-256-GCM makes of the document. The name of the document is authenticated:
// nobody who can write to Redis can put one in the place of another.
const (
	sealForm    = 1
	keyIDLength = 8
	nonceLength = 12
	// tagLength is that of the beginning, which no two sealed documents share.
	tagLength = 1 + keyIDLength + nonceLength
)

// errSealed says that a document cannot be read with the keys there are.
var errSealed = errors.New("it is sealed with none of the encryption keys, or damaged; " +
	"it is left as it is: configure the key that it was sealed with, or restore it from a backup")

// sealer seals documents with the first of its keys and opens those of all.
type sealer struct{ keys []sealKey }

type sealKey struct {
	id   [keyIDLength]byte
	aead cipher.AEAD
}

// newSealer makes the keys of texts. Errors do not quote them.
func newSealer(texts []string) (*sealer, error) {
	if len(texts) == 0 {
		return nil, errors.New("encryption key: expected one at least")
	}
	s := &sealer{}
	for i, text := range texts {
		if err := CheckKey(text); err != nil {
			return nil, fmt.Errorf("encryption key %d: %w", i+1, err)
		}
		if slices.Contains(texts[:i], text) {
			return nil, fmt.Errorf("encryption key %d: stands twice: expected another one, or one alone", i+1)
		}
		key, err := deriveKey(text)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, key)
	}
	return s, nil
}

// deriveKey makes key and ID of a text: one tells nothing of the other.
func deriveKey(text string) (key sealKey, err error) {
	secret, err := hkdf.Key(sha256.New, []byte(text), nil, "caddy-oauth2 document key", 32)
	if err != nil {
		return sealKey{}, err
	}
	id, err := hkdf.Key(sha256.New, []byte(text), nil, "caddy-oauth2 document key id", keyIDLength)
	if err != nil {
		return sealKey{}, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return sealKey{}, err
	}
	key.id = [keyIDLength]byte(id)
	key.aead, err = cipher.NewGCM(block)
	return key, err
}

// seal returns the document as it is stored under the name, that of its key.
func (s *sealer) seal(name string, document []byte) []byte {
	key := s.keys[0]
	sealed := make([]byte, tagLength, tagLength+len(document)+key.aead.Overhead())
	sealed[0] = sealForm
	copy(sealed[1:], key.id[:])
	nonce := sealed[1+keyIDLength : tagLength]
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the process instead
	return key.aead.Seal(sealed, nonce, document, []byte(name))
}

// open returns the document, and whether it is under the first key.
func (s *sealer) open(name string, sealed []byte) (document []byte, current bool, err error) {
	if len(sealed) < tagLength || sealed[0] != sealForm {
		return nil, false, errSealed
	}
	for i, key := range s.keys {
		if [keyIDLength]byte(sealed[1:1+keyIDLength]) != key.id {
			continue
		}
		document, err := key.aead.Open([]byte{}, sealed[1+keyIDLength:tagLength], sealed[tagLength:], []byte(name))
		if err != nil {
			return nil, false, errSealed
		}
		return document, i == 0, nil
	}
	return nil, false, errSealed
}
