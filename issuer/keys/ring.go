package keys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// ErrNoKey says that no key was made yet: see [Ring.Maintain].
var ErrNoKey = errors.New("there is no signing key yet")

// errGone is the error where a document that was there is missing: a new key
// would make every token worthless that is out, and nobody would know why.
var errGone = errors.New("it is missing, and was there before")

// Ring is the issuer's signing keys: those that sign, signed and will sign. It
// outlives configurations: what depends on one is handed to [Ring.Maintain].
//
// Load and Maintain read the stored document; everything else answers at once
// from the last one that was read, without a lock. It is safe for concurrent
// use. Make one with [NewRing].
type Ring struct {
	docs    store.Documents
	now     func() time.Time
	current atomic.Pointer[snapshot]

	turn     chan struct{} // held by the one who reads or changes the document
	reported string        // kid of the key last known to sign; guarded by turn
}

// NewRing returns a ring without keys over the document [DocumentName] in docs.
// Nothing is read yet. now is the clock.
func NewRing(docs store.Documents, now func() time.Time) *Ring {
	r := &Ring{docs: docs, now: now, turn: make(chan struct{}, 1)}
	empty, err := newSnapshot(nil, nil)
	if err != nil {
		panic(err) // an empty key set can be encoded
	}
	r.current.Store(empty)
	return r
}

// Load reads the stored keys and makes none. Without a document the ring is
// empty, unless it had keys before: that is an error. So is a document that
// cannot be understood as a whole; the error names the document and the key.
// After an error the keys known before stay in use.
func (r *Ring) Load(ctx context.Context) error {
	leave, err := r.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	fresh, err := r.read(ctx)
	if err != nil {
		return err
	}
	if r.reported == "" { // what signed before is no change
		r.reported = fresh.signing(r.now())
	}
	return nil
}

// Changes are what became different with one [Ring.Maintain], [Ring.Rotate] or
// [Ring.Revoke], by kid.
type Changes struct {
	Made      []string // by this call
	Forgotten []string // by this call
	Revoked   []string // by this call
	Signing   string   // the key that signs since the last call; empty: as before
}

// Maintain does what is due under the configuration: it makes the first key,
// makes the next one in time, and forgets keys whose last token has expired. It
// also takes over what other instances have stored.
//
// Call it before the first token is issued under a new configuration (that notes
// how long keys must stay), and then at least once a minute and several times
// per PublishAhead, in every instance: other instances publish a new key when
// they next call it. Nothing is stored, and no lock is taken, where nothing is
// due. Errors are those of [Ring.Load], of the store and of the configuration;
// the keys known before stay in use.
func (r *Ring) Maintain(ctx context.Context, config Config) (Changes, error) {
	if err := config.validate(); err != nil {
		return Changes{}, fmt.Errorf("signing keys: %w", err)
	}
	leave, err := r.enter(ctx)
	if err != nil {
		return Changes{}, err
	}
	defer leave()
	return r.change(ctx, func(doc document, now time.Time) (plan, error) { return decide(doc, now, config), nil })
}

// change carries out what is asked for. Nothing is stored, and no lock is taken,
// where that is nothing. Under the document's lock it is asked for anew: another
// instance may have been faster.
func (r *Ring) change(ctx context.Context, ask func(doc document, now time.Time) (plan, error)) (changes Changes, err error) {
	fresh, err := r.read(ctx)
	if err != nil {
		return Changes{}, err
	}
	todo, err := ask(fresh.document, r.now())
	if err == nil && !todo.empty() {
		changes, err = r.store(ctx, ask)
	}
	if err != nil {
		return Changes{}, fmt.Errorf("signing keys: %w", err)
	}
	if signing := r.current.Load().signing(r.now()); signing != r.reported {
		r.reported, changes.Signing = signing, signing
	}
	return changes, nil
}

func (r *Ring) store(ctx context.Context, ask func(doc document, now time.Time) (plan, error)) (changes Changes, err error) {
	var fresh *snapshot
	err = r.docs.Update(ctx, DocumentName, func(old []byte) (raw []byte, err error) {
		changes = Changes{}
		if fresh, err = r.understand(old); err != nil {
			return nil, err
		}
		now := r.now()
		todo, err := ask(fresh.document, now)
		if err != nil || todo.empty() {
			return nil, err
		}
		if raw, changes, err = todo.carryOut(fresh.document, now); err != nil {
			return nil, err
		}
		// What could not be read again must not be stored.
		fresh, err = r.understand(raw)
		return raw, err
	})
	if err != nil {
		return Changes{}, err
	}
	r.current.Store(fresh)
	return changes, nil
}

// read takes over the document as it is stored now.
func (r *Ring) read(ctx context.Context) (*snapshot, error) {
	raw, err := r.docs.Load(ctx, DocumentName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("signing keys: %w", err)
	}
	fresh, err := r.understand(raw)
	if err != nil {
		return nil, fmt.Errorf("signing keys: %w", err)
	}
	r.current.Store(fresh)
	return fresh, nil
}

// understand prepares a stored document, nil for a missing one.
func (r *Ring) understand(raw []byte) (*snapshot, error) {
	known := r.current.Load()
	if raw == nil && known.stored {
		return nil, unreadable(errGone)
	}
	if known.of(raw) {
		return known, nil
	}
	fresh, err := newSnapshot(raw, known)
	if err != nil {
		return nil, unreadable(err)
	}
	return fresh, nil
}

func unreadable(err error) error {
	return fmt.Errorf("document %q: %w; nothing is replaced: repair it or restore it from a backup", DocumentName, err)
}

// enter waits for the turn to read or change the document: a snapshot of an
// older state must not take the place of a newer one.
func (r *Ring) enter(ctx context.Context) (leave func(), err error) {
	select {
	case r.turn <- struct{}{}:
		return func() { <-r.turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("signing keys: %w", ctx.Err())
	}
}
