package keys

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

const (
	// MaxSetLength is the longest key set of others that is read, in bytes.
	MaxSetLength = 256 << 10

	// maxSetKeys is how many keys such a set may have. Big providers publish
	// about ten.
	maxSetKeys = 100

	// maxCandidates is how many keys are tried for one JWS at most: what a
	// stranger sends must not cost a hundred signature checks.
	maxCandidates = 8
)

// Set is the public keys of somebody else: of a client that signs assertions,
// or of another issuer (RFC 7517 section 5). It holds only keys that may verify.
// It never changes, and is safe for concurrent use. A nil set holds no key.
type Set struct {
	byID    map[string]candidates // by kid; under "" what a JWS without kid may be signed with
	unnamed candidates            // what a JWS with any other kid may be signed with
	digest  [sha256.Size]byte     // equal for sets of the same keys
}

// candidates are the keys to be tried, by the algorithm of the JWS.
type candidates map[token.Algorithm][]token.VerificationKey

// ParseSet reads a JSON Web Key Set.
//
// Passed over are keys of types and curves that are not known here (RFC 7517
// section 5) and keys that must not verify: RSA under 2048 or over 4096 bits or
// with an unfit exponent, points off their curve, `use` other than `sig`,
// `key_ops` without `verify`, an `alg` that is unknown or not for such a key.
//
// An error are: no key left, a symmetric or private key anywhere (whoever
// publishes one has lost it), a member that stands twice in the set or in a
// key, more than 100 keys, more than [MaxSetLength] bytes, and what is not a
// JWK Set at all. It counts keys from 1 and quotes nothing of the text.
func ParseSet(data []byte) (*Set, error) {
	elements, err := setElements(data)
	if err != nil {
		return nil, err
	}
	var all []publicKey
	var unusable []string
	for i, element := range elements {
		members, err := readMembers(element)
		if err == nil {
			err = checkPublic(members)
		}
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		key, err := readPublicKey(members)
		if err != nil {
			unusable = append(unusable, fmt.Sprintf("key %d: %v", i+1, err))
		}
		all = append(all, key)
	}
	if len(unusable) == len(all) {
		return nil, noUsableKey(unusable)
	}
	return newSet(all), nil
}

// setElements returns the elements of the member `keys`, each by itself: one
// odd key must not hide the others.
func setElements(data []byte) ([]json.RawMessage, error) {
	if len(data) > MaxSetLength {
		return nil, fmt.Errorf("longer than %d bytes", MaxSetLength)
	}
	// The decoder replaces what is not UTF-8: names would have two spellings.
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	members, err := readMembers(data)
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(members["keys"], &elements); err != nil || elements == nil {
		return nil, errors.New("key set: expected an object with an array \"keys\"")
	}
	if len(elements) > maxSetKeys {
		return nil, fmt.Errorf("key set: %d keys: expected at most %d", len(elements), maxSetKeys)
	}
	return elements, nil
}

// readMembers reads one JSON object. Names are compared case-sensitively and
// stand once: of two members, another parser might take the other one.
func readMembers(data []byte) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if first, err := dec.Token(); err != nil || first != json.Delim('{') {
		return nil, errors.New("expected a JSON object")
	}
	members := make(map[string]json.RawMessage)
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, errors.New("not JSON")
		}
		text, _ := name.(string)
		if _, known := members[text]; known {
			return nil, errors.New("a member stands twice")
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, errors.New("not JSON")
		}
		members[text] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, errors.New("not JSON")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("data after the JSON object")
	}
	return members, nil
}

// noUsableKey says what is wrong with the first few keys.
func noUsableKey(reasons []string) error {
	const shown = 3
	if len(reasons) == 0 {
		return errors.New("key set: expected at least one key")
	}
	text := strings.Join(reasons[:min(shown, len(reasons))], "; ")
	if more := len(reasons) - shown; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return fmt.Errorf("key set: no usable key: %s", text)
}

func newSet(all []publicKey) *Set {
	s := &Set{byID: map[string]candidates{"": {}}, unnamed: candidates{}, digest: digest(all)}
	for _, key := range all {
		s.byID[key.id] = candidates{}
	}
	for _, alg := range token.Algorithms() {
		fitting := fit(all, alg)
		unnamed := withID(fitting, "")
		s.unnamed[alg] = bounded(unnamed)
		for id, found := range s.byID {
			found[alg] = bounded(append(withID(fitting, id), unnamed...))
		}
		s.byID[""][alg] = bounded(fitting)
	}
	return s
}

// fit returns the keys that fit the algorithm, pinned to it.
func fit(all []publicKey, alg token.Algorithm) []token.VerificationKey {
	var fitting []token.VerificationKey
	for _, key := range all {
		if key.fits(alg) == nil {
			fitting = append(fitting, token.VerificationKey{ID: key.id, Algorithm: alg, Public: key.public})
		}
	}
	return fitting
}

func withID(keys []token.VerificationKey, id string) []token.VerificationKey {
	var found []token.VerificationKey
	for _, key := range keys {
		if key.ID == id {
			found = append(found, key)
		}
	}
	return found
}

func bounded(keys []token.VerificationKey) []token.VerificationKey {
	return slices.Clip(keys[:min(len(keys), maxCandidates)])
}

// digest is the same for the same keys in any order: some servers shuffle them.
func digest(all []publicKey) [sha256.Size]byte {
	sums := make([][sha256.Size]byte, 0, len(all))
	for _, key := range all {
		sums = append(sums, key.digest())
	}
	slices.SortFunc(sums, func(a, b [sha256.Size]byte) int { return bytes.Compare(a[:], b[:]) })
	hash := sha256.New()
	for _, sum := range sums {
		hash.Write(sum[:])
	}
	return [sha256.Size]byte(hash.Sum(nil))
}

// Find returns the keys that a JWS may have been signed with whose header has
// this kid, empty for none, and this algorithm, one of [token.Algorithms]: those
// with the same kid, then those without one; all of them for a JWS without kid
// (RFC 7515 section 4.1.4). Each is fit for the algorithm and pinned to it. There
// are eight at most; further ones are never tried. Many share the result, which
// must not be changed.
func (s *Set) Find(kid string, alg token.Algorithm) []token.VerificationKey {
	if s == nil {
		return nil
	}
	if named, ok := s.byID[kid]; ok {
		return named[alg]
	}
	return s.unnamed[alg]
}

// names tells whether a key of the set has this kid, for any algorithm; also one
// that was passed over: a newer set need not be looked for.
func (s *Set) names(kid string) bool {
	if s == nil || kid == "" {
		return false
	}
	_, ok := s.byID[kid]
	return ok
}
