package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"sync"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// DirectoryName is that of the collection that a [Directory] is kept in.
const DirectoryName = "registry"

// Errors of [Directory.Change], to be told apart with errors.Is.
var (
	ErrNoClient     = errors.New("there is no such client")
	ErrClientExists = errors.New("there is such a client already")
)

// Directory keeps the clients that are made at run time. There is one for an
// issuer in a process, so that a reload forgets nothing. It is safe for concurrent
// use.
type Directory struct {
	collection *store.Collection
	now        func() time.Time

	mu        sync.RWMutex
	records   map[string]*held // removed ones too
	untold    []string         // those that became different since followers were told
	followers map[*follower]struct{}

	telling sync.Mutex // held until followers have done what they were told
}

// held is a record, and a hash of what it was read from.
type held struct {
	record *Record
	source uint64
}

var recordSeed = maphash.MakeSeed()

// NewDirectory returns a directory that knows no client until [Directory.Load].
// now is the clock.
func NewDirectory(documents store.Documents, now func() time.Time) *Directory {
	d := &Directory{now: now, records: make(map[string]*held), followers: make(map[*follower]struct{})}
	d.collection = store.NewCollection(documents, DirectoryName, d.take)
	return d
}

// Load reads what has changed, and writes nothing. Errors are those of
// [store.Collection.Load]; one of a record names its client.
func (d *Directory) Load(ctx context.Context) error {
	defer d.tell()
	return d.collection.Load(ctx)
}

// Get returns a client that was not removed. It must not be changed.
func (d *Directory) Get(id string) (*Record, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	found, ok := d.records[id]
	if !ok || found.record.Removed {
		return nil, false
	}
	return found.record, true
}

// Epoch is that of a client, also where it was removed; 0 for one that never was.
func (d *Directory) Epoch(id string) uint64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if found, ok := d.records[id]; ok {
		return found.record.Epoch
	}
	return 0
}

// Count tells how many clients there are that were not removed, and how many of them
// are disabled.
func (d *Directory) Count() (clients, disabled int) {
	for record := range d.All() {
		clients++
		if record.Disabled {
			disabled++
		}
	}
	return clients, disabled
}

// All returns the clients that were not removed, in no order, as they are at
// this moment.
func (d *Directory) All() iter.Seq[*Record] {
	d.mu.RLock()
	list := make([]*Record, 0, len(d.records))
	for _, found := range d.records {
		if !found.record.Removed {
			list = append(list, found.record)
		}
	}
	d.mu.RUnlock()
	return func(yield func(*Record) bool) {
		for _, record := range list {
			if !yield(record) {
				return
			}
		}
	}
}

// Create makes a client. fill says what it is, and may be called again; ids of secrets
// that an earlier client of this name had are not given again. Where there is such a
// client it is [ErrClientExists]. When Create returns nil it is stored and in force.
func (d *Directory) Create(ctx context.Context, id string, fill func(fresh *Record) error) (made *Record, err error) {
	return d.update(ctx, id, func(before *Record) (*Record, error) {
		if before.exists() {
			return nil, ErrClientExists
		}
		fresh := &Record{LastSecret: before.LastSecret}
		return fresh, fill(fresh)
	})
}

// Change changes a client. change is called with the record as it is stored, nil
// where there is none or it was removed, and alters a copy of its own; it may be
// called again. A nil result removes the client; then, and where the result is disabled and the
// client was not, its tokens are void for ever. When Change returns nil it is
// stored and in force; an error of change is returned as it is.
func (d *Directory) Change(ctx context.Context, id string, change func(old *Record) (*Record, error)) (changed *Record, err error) {
	return d.update(ctx, id, func(before *Record) (*Record, error) {
		if !before.exists() {
			before = nil
		}
		return change(before.clone())
	})
}

// update does it. before is what is stored: empty where there never was a client.
func (d *Directory) update(ctx context.Context, id string, change func(before *Record) (*Record, error)) (changed *Record, err error) {
	defer d.tell()
	err = d.collection.Change(ctx, []string{id}, func(_ string, stored json.RawMessage) (json.RawMessage, error) {
		before, err := d.before(id, stored)
		if err != nil {
			return nil, err
		}
		if changed, err = d.next(id, before, change); err != nil {
			return nil, err
		}
		if err := changed.check(); err != nil {
			return nil, err
		}
		return json.Marshal(changed)
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// before is the record as it is stored, or as it is known where the store went back to
// an earlier state: what is in force must be there to be disabled. It is empty
// where there never was such a client.
func (d *Directory) before(id string, stored json.RawMessage) (*Record, error) {
	before := new(Record)
	if stored != nil {
		var err error
		if before, err = decodeRecord(id, stored); err != nil {
			return nil, d.damaged(id, err)
		}
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if known, ok := d.records[id]; ok {
		if known.record.Revision > before.Revision {
			return known.record.clone(), nil
		}
		before.Epoch = max(before.Epoch, known.record.Epoch)
	}
	return before, nil
}

// next is the record that follows before, which is empty for a new client.
func (d *Directory) next(id string, before *Record, change func(*Record) (*Record, error)) (*Record, error) {
	next, err := change(before)
	if err != nil {
		return nil, err
	}
	existed, now := before.exists(), d.now().UTC().Truncate(time.Second)
	if next == nil {
		if !existed {
			return nil, ErrNoClient
		}
		next = &Record{Made: before.Made, Removed: true}
	}
	next.ID, next.Epoch, next.Revision, next.Changed = id, before.Epoch, before.Revision+1, now
	next.LastSecret = max(next.LastSecret, before.LastSecret)
	if !existed {
		next.Made = now
	}
	if existed && !before.Disabled && (next.Removed || next.Disabled) {
		next.Epoch++
	}
	return next, nil
}

// take takes over what is stored of a part of the clients.
func (d *Directory) take(_ int, stored map[string]json.RawMessage) error {
	fresh, err := d.understand(stored)
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, one := range fresh {
		d.records[id] = one
		d.untold = append(d.untold, id)
	}
	return err
}

// understand decodes the records that are not known as they are. One that cannot be
// understood keeps none of the others back: they may be of clients that were disabled.
func (d *Directory) understand(stored map[string]json.RawMessage) (map[string]*held, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	fresh := make(map[string]*held)
	var damaged error
	for id, data := range stored {
		source := maphash.Bytes(recordSeed, data)
		known, ok := d.records[id]
		if ok && known.source == source {
			continue
		}
		record, err := decodeRecord(id, data)
		if err != nil {
			damaged = errors.Join(damaged, d.damaged(id, err))
			continue
		}
		if ok { // a document put back from a backup must not bring tokens back to life
			record.Epoch = max(record.Epoch, known.record.Epoch)
		}
		fresh[id] = &held{record: record, source: source}
	}
	return fresh, damaged
}

func (d *Directory) damaged(id string, err error) error {
	return fmt.Errorf("client %q: %w", id, err)
}
