package keys

import (
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

var _ token.Keys = (*Ring)(nil)

// State is what a key is there for at a moment.
type State string

// The states, in the order in which a key has them.
const (
	Next    State = "next"    // published, and does not sign yet
	Active  State = "active"  // signs
	Retired State = "retired" // signs no more, and some of its tokens may live
)

// Info describes a key for lists.
type Info struct {
	ID        string
	Algorithm token.Algorithm
	State     State
	Created   time.Time
	SignsFrom time.Time

	// SignsUntil is when the next key takes over; zero: no next key is known yet.
	SignsUntil time.Time
	// Forgotten is when the last token that it may have signed has expired, and
	// the key is removed; zero: it is not known yet.
	Forgotten time.Time
}

// Signer returns what signs now: the newest key whose time has come. The error
// is [ErrNoKey].
func (r *Ring) Signer() (*token.Signer, error) {
	current := r.current.Load()
	if len(current.keys) == 0 {
		return nil, ErrNoKey
	}
	return current.signers[current.active(r.now())], nil
}

// Ready returns nil as soon as there is a key, for who need not know which one signs.
func (r *Ring) Ready() error {
	if len(r.current.Load().keys) == 0 {
		return ErrNoKey
	}
	return nil
}

// Key implements [token.Keys]: it finds any key of the ring, also one that does
// not sign yet or no longer.
func (r *Ring) Key(id string) (token.VerificationKey, bool) {
	key, ok := r.current.Load().verifying[id]
	return key, ok
}

// KeyOf implements [token.Keys], for the same keys.
func (r *Ring) KeyOf(header string) (token.VerificationKey, bool) {
	key, ok := r.current.Load().headers[header]
	return key, ok
}

// Generation changes whenever [Ring.Key] has begun or ceased to find a key:
// what is remembered of tokens is worth nothing after that.
func (r *Ring) Generation() uint64 { return r.current.Load().generation }

// JWKS returns the public key set (RFC 7517 section 5) and its entity tag,
// quotes included. The keys stand in the order in which they sign. The body
// must not be changed.
func (r *Ring) JWKS() (body []byte, etag string) {
	current := r.current.Load()
	return current.jwks, current.etag
}

// List describes all keys in the order in which they sign.
func (r *Ring) List() []Info {
	current := r.current.Load()
	active := current.active(r.now())
	list := make([]Info, 0, len(current.keys))
	for i, key := range current.keys {
		state := Active
		switch {
		case i < active:
			state = Retired
		case i > active:
			state = Next
		}
		info := Info{
			ID: key.id, Algorithm: key.alg, State: state, Created: key.created, SignsFrom: key.signsFrom, SignsUntil: key.signsUntil,
		}
		if !key.signsUntil.IsZero() {
			info.Forgotten = key.forgotten()
		}
		list = append(list, info)
	}
	return list
}

// LongestLifetime is the longest life of a token that a key of the ring may have
// signed, also under an earlier configuration.
func (r *Ring) LongestLifetime() (longest time.Duration) {
	for _, key := range r.current.Load().keys {
		longest = max(longest, key.lifetime)
	}
	return longest
}
