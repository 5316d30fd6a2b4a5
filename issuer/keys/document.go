package keys

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// DocumentName is the document that holds the private keys.
const DocumentName = "keys.json"

// document is what is stored:
//
//	{
//	  "version": 1,
//	  "keys": [
//	    {
//	      "kid": "<RFC 7638 thumbprint>",
//	      "alg": "ES256",
//	      "created": "2026-01-01T00:00:00Z",
//	      "signs_from": "2026-01-02T00:00:00Z",
//	      "signs_until": "2026-01-31T00:00:00Z",
//	      "lifetime_seconds": 3600,
//	      "private": "-----BEGIN PRIVATE KEY-----\n<PKCS#8>\n-----END PRIVATE KEY-----\n"
//	    }
//	  ]
//	}
//
// Keys stand in the order in which they sign. Each but the last has
// signs_until: the moment from which the key after it signs. lifetime_seconds is
// the longest life of a token that the key may have signed. Times are RFC 3339.
//
// Every member is known and needed: a version that means anything else by them
// counts up version, and is not read by this one.
type document struct {
	keys []record // by signsFrom
}

const documentVersion = 1

// record is one stored key.
type record struct {
	id         string // kid
	alg        token.Algorithm
	created    time.Time
	signsFrom  time.Time
	signsUntil time.Time     // zero: no later key is known yet
	lifetime   time.Duration // of the longest-lived token it may have signed
	private    crypto.Signer
}

// newRecord makes a key. Its record lacks the times.
func newRecord(alg token.Algorithm) (record, error) {
	private, err := Generate(alg)
	if err != nil {
		return record{}, fmt.Errorf("making a key for %s: %w", alg, err)
	}
	jwk, err := publicJWK(private.Public(), alg)
	if err != nil {
		return record{}, err
	}
	return record{id: jwk.KeyID, alg: alg, private: private}, nil
}

type wireDocument struct {
	Version int          `json:"version"`
	Keys    []wireRecord `json:"keys"`
}

type wireRecord struct {
	ID              string `json:"kid"`
	Algorithm       string `json:"alg"`
	Created         string `json:"created"`
	SignsFrom       string `json:"signs_from"`
	SignsUntil      string `json:"signs_until,omitempty"`
	LifetimeSeconds int64  `json:"lifetime_seconds"`
	Private         string `json:"private"`
}

// encode returns the document as it is stored.
func (d document) encode() ([]byte, error) {
	wire := wireDocument{Version: documentVersion, Keys: make([]wireRecord, 0, len(d.keys))}
	for _, key := range d.keys {
		private, err := encodePrivate(key.private)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", key.id, err)
		}
		wire.Keys = append(wire.Keys, wireRecord{
			ID:         key.id,
			Algorithm:  string(key.alg),
			Created:    writeTime(key.created),
			SignsFrom:  writeTime(key.signsFrom),
			SignsUntil: writeTime(key.signsUntil),
			// Rounded up: a key that is kept too long harms nobody.
			LifetimeSeconds: int64((key.lifetime + time.Second - 1) / time.Second),
			Private:         private,
		})
	}
	return json.MarshalIndent(wire, "", "  ")
}

// decode reads a stored document. Anything that this version would not have
// written is an error that names the key, and no part of any private key.
func decode(data []byte) (document, error) {
	var wire wireDocument
	if err := decodeStrictly(data, &wire); err != nil {
		return document{}, err
	}
	if len(wire.Keys) == 0 {
		return document{}, errors.New("keys: expected at least one")
	}
	keys := make([]record, 0, len(wire.Keys))
	for i, stored := range wire.Keys {
		key, err := stored.read()
		if err != nil {
			return document{}, fmt.Errorf("key %d (%s): %w", i+1, printableID(stored.ID), err)
		}
		keys = append(keys, key)
	}
	if err := checkOrder(keys); err != nil {
		return document{}, err
	}
	return document{keys: keys}, nil
}

func (w wireRecord) read() (record, error) {
	alg, err := token.ParseAlgorithm(w.Algorithm)
	if err != nil {
		// The word itself is left out: it may be anything, key material too.
		return record{}, errors.New("alg: unknown signature algorithm")
	}
	private, err := decodePrivate(w.Private)
	if err != nil {
		return record{}, fmt.Errorf("private: %w", err)
	}
	if err := alg.CheckKey(private.Public()); err != nil {
		return record{}, fmt.Errorf("private: %w", err)
	}
	jwk, err := publicJWK(private.Public(), alg)
	if err != nil {
		return record{}, err
	}
	if w.ID != jwk.KeyID {
		return record{}, fmt.Errorf("kid: not the thumbprint of the key, which is %s", jwk.KeyID)
	}
	if w.LifetimeSeconds < 0 || w.LifetimeSeconds > int64(MaxDuration/time.Second) {
		return record{}, fmt.Errorf("lifetime_seconds: expected 0 to %d", int64(MaxDuration/time.Second))
	}
	key := record{
		id: jwk.KeyID, alg: alg, private: private,
		lifetime: time.Duration(w.LifetimeSeconds) * time.Second,
	}
	return key, w.readTimes(&key)
}

func (w wireRecord) readTimes(key *record) (err error) {
	if key.created, err = readTime("created", w.Created); err != nil {
		return err
	}
	if key.signsFrom, err = readTime("signs_from", w.SignsFrom); err != nil {
		return err
	}
	if w.SignsUntil != "" {
		key.signsUntil, err = readTime("signs_until", w.SignsUntil)
	}
	return err
}

// checkOrder refuses what would make two instances disagree on the key that
// signs, or on the moment at which one is forgotten.
func checkOrder(keys []record) error {
	for i, key := range keys {
		last := i == len(keys)-1
		if slices.ContainsFunc(keys[:i], func(other record) bool { return other.id == key.id }) {
			return fmt.Errorf("key %d (%s): stands twice", i+1, key.id)
		}
		if i > 0 && key.signsFrom.Before(keys[i-1].signsFrom) {
			return fmt.Errorf("key %d (%s): signs_from: expected none before that of the key above", i+1, key.id)
		}
		if last != key.signsUntil.IsZero() {
			return fmt.Errorf("key %d (%s): signs_until: expected for every key but the last", i+1, key.id)
		}
		if !last && key.signsUntil.After(keys[i+1].signsFrom) {
			return fmt.Errorf("key %d (%s): signs_until: expected none after signs_from of the next key", i+1, key.id)
		}
	}
	return nil
}
