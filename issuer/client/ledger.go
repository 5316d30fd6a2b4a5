package client

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// Documents keeps named documents. The package issuer/store has implementations.
type Documents interface {
	// Load returns a document; the error of a missing one is fs.ErrNotExist.
	Load(ctx context.Context, name string) ([]byte, error)
	// Update calls change with the document as it is now, nil for a missing
	// one, and stores what it returns; nil leaves the document as it is. Nobody
	// else changes the document meanwhile, or change is called again.
	Update(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error
}

// Ledger keeps the epoch of each client: a number that grows whenever the
// client is disabled or removed, and that its tokens carry ([token.NewID]).
// Tokens of an earlier epoch stay refused, also after the client is enabled or
// made again, and also where it happened while this process was not running.
//
// There is one for the whole process, so that a reload forgets nothing. It is
// safe for concurrent use; what requests read takes no lock.
type Ledger struct {
	documents Documents
	beside    []string
	current   atomic.Pointer[Epochs]

	writing sync.Mutex        // one Load or Record at a time: what was read earlier must not replace what was read later
	stored  *document         // as it was last read or written; nil: there was none. Guarded by writing
	source  [sha256.Size]byte // of the document that stored was read from; zero: of none. Likewise
}

// NewLedger returns a ledger that knows nothing and vouches for no token until
// [Ledger.Load] or [Ledger.Record] succeeds.
//
// beside names documents that are stored before, or right after, [Ledger.Record] or
// [Ledger.Admit] is first called. The ledger notes that: see [Ledger.Promises].
func NewLedger(documents Documents, beside ...string) *Ledger {
	return &Ledger{documents: documents, beside: beside}
}

// Load reads the ledger, and writes nothing. A missing document is an empty
// ledger, unless it was there before: that is [store.ErrGone]. One that cannot
// be read is an error too. Errors name the document, and what was known before
// stays in force.
func (l *Ledger) Load(ctx context.Context) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	data, err := l.documents.Load(ctx, DocumentName)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = nil, nil
	}
	if err == nil && data == nil && l.stored != nil {
		err = fmt.Errorf("%w; what was known stays in force, and the next reload writes it again", store.ErrGone)
	}
	if err != nil {
		return fmt.Errorf("loading %s: %w", DocumentName, err)
	}
	source := sha256.Sum256(data)
	if data != nil && source == l.source {
		return nil // it was read as it is: of many clients, that takes a while each half minute
	}
	stored, err := l.decode(data)
	if err != nil {
		return fmt.Errorf("loading the epochs of clients: %w", err)
	}
	l.publish(l.raise(stored.Clients))
	if data != nil {
		l.stored, l.source = &stored, source
	}
	return nil
}

// Stored tells whether there was a document when the ledger was last read or
// written.
func (l *Ledger) Stored() bool {
	l.writing.Lock()
	defer l.writing.Unlock()
	return l.stored != nil
}

// Promises tells whether the document of that name was there when the ledger was
// written. Where it is missing, it was lost.
func (l *Ledger) Promises(name string) bool {
	l.writing.Lock()
	defer l.writing.Unlock()
	return l.stored != nil && slices.Contains(l.stored.Beside, name)
}

// Record notes which clients there are and whether each is enabled: alive has
// every client of the configuration in force. One that was alive when last
// recorded and now is disabled or missing enters its next epoch, once. The
// document is written only where something changed or it is missing; what is
// known of one that was there goes on.
//
// Where Record fails nothing is noted. It must be repeated before another
// configuration comes into force, or a client could be disabled and enabled
// again without its tokens noticing.
func (l *Ledger) Record(ctx context.Context, alive map[string]bool) error {
	return l.change(ctx, func(entries map[string]entry) {
		retire(entries, alive)
		admit(entries, alive)
	})
}

// Admit notes which clients are enabled, and takes nothing from anybody: it is
// for a configuration that may yet fail to come into force.
func (l *Ledger) Admit(ctx context.Context, alive map[string]bool) error {
	return l.change(ctx, func(entries map[string]entry) { admit(entries, alive) })
}

func (l *Ledger) change(ctx context.Context, advance func(map[string]entry)) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	var recorded document
	err := l.documents.Update(ctx, DocumentName, func(old []byte) ([]byte, error) {
		stored, err := l.decode(old)
		if err != nil {
			return nil, err
		}
		recorded = document{Clients: l.raise(stored.Clients), Beside: union(stored.Beside, l.beside)}
		advance(recorded.Clients)
		if old != nil && stored.equal(recorded) {
			return nil, nil
		}
		return encodeDocument(recorded)
	})
	if err != nil {
		return fmt.Errorf("recording the clients in %s: %w", DocumentName, err)
	}
	l.publish(recorded.Clients)
	l.stored, l.source = &recorded, [sha256.Size]byte{}
	return nil
}

// decode reads the document; of a missing one, nil, it is what was there last.
func (l *Ledger) decode(data []byte) (document, error) {
	switch {
	case data != nil:
		return decodeDocument(data)
	case l.stored != nil:
		return *l.stored, nil
	}
	return document{}, nil
}

func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// raise returns the entries with no epoch lower than this process has seen: a
// replica that lags behind, or a document put back from a backup, must not
// bring tokens back to life.
func (l *Ledger) raise(stored map[string]entry) map[string]entry {
	raised := make(map[string]entry, len(stored))
	maps.Copy(raised, stored)
	if seen := l.current.Load(); seen != nil {
		for id, epoch := range seen.of {
			found := raised[id]
			found.Epoch = max(found.Epoch, epoch)
			raised[id] = found
		}
	}
	return raised
}

// retire lets those that are alive no longer enter their next epoch.
func retire(entries map[string]entry, alive map[string]bool) {
	for id, known := range entries {
		if known.Alive && !alive[id] {
			entries[id] = entry{Epoch: known.Epoch + 1}
		}
	}
}

// admit notes those that are alive.
func admit(entries map[string]entry, alive map[string]bool) {
	for id, enabled := range alive {
		if enabled {
			entries[id] = entry{Epoch: entries[id].Epoch, Alive: true}
		}
	}
}

func (l *Ledger) publish(entries map[string]entry) {
	next := &Epochs{of: make(map[string]uint64)}
	for id, known := range entries {
		if known.Epoch > 0 {
			next.of[id] = known.Epoch
		}
	}
	if current := l.current.Load(); current != nil && maps.Equal(current.of, next.of) {
		return
	}
	next.number = snapshots.Add(1)
	l.current.Store(next)
}

// Current is what is known at this moment. It answers at once.
func (l *Ledger) Current() *Epochs { return l.current.Load() }

// Generation is a number that changes with each change of an epoch.
func (l *Ledger) Generation() uint64 {
	if known := l.current.Load(); known != nil {
		return uint64(known.number)
	}
	return 0
}

// outdated tells whether a token of the epoch is from before the client's
// present one. Where nothing was loaded yet, every token is: what was disabled
// must not come back for the moment that a start takes.
func (l *Ledger) outdated(c *Client, epoch uint64) bool {
	known := l.current.Load()
	return known == nil || epoch < known.Of(c)
}
