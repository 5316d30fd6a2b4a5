package keys

import (
	"context"
	"sync/atomic"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Held is the keys of somebody else that stand in a file or in the
// configuration: whoever reads the file puts in the new set when it changes. It
// is safe for concurrent use. Make one with [NewHeld].
type Held struct{ current atomic.Pointer[edition] }

// edition is a set together with its number: whoever has seen the number has
// seen the set or a later one.
type edition struct {
	set        *Set
	generation uint64
}

// NewHeld returns a holder of the set; nil: of no key.
func NewHeld(set *Set) *Held {
	h := &Held{}
	h.current.Store(&edition{set: set})
	return h
}

// Replace puts the set in the place of the one before; nil: no key is left.
func (h *Held) Replace(set *Set) {
	for {
		before := h.current.Load()
		if h.current.CompareAndSwap(before, &edition{set: set, generation: before.generation + 1}) {
			return
		}
	}
}

// Generation grows with each [Held.Replace]: what is remembered of signatures
// is worth nothing after that. Ask for it before [Held.Find].
func (h *Held) Generation() uint64 { return h.current.Load().generation }

// Find is [Set.Find] of the set that is held now. It never waits, and the error
// is always nil: [Remote.Find] is used in the same way.
func (h *Held) Find(_ context.Context, kid string, alg token.Algorithm) ([]token.VerificationKey, error) {
	return h.current.Load().set.Find(kid, alg), nil
}
