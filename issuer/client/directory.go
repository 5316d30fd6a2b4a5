package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// DirectoryName is that of the collection that a [Directory] is kept in.
const DirectoryName = "registry"

// DirectoryDocumentName is the collection's index.
const DirectoryDocumentName = DirectoryName + ".json"

// Directory keeps the clients that are made at run time. There is one for an
// issuer in a process, so that a reload forgets nothing. It is safe for concurrent
// use.
type Directory struct {
	collection *store.Collection
	now        func() time.Time

	loaded atomic.Bool // everything that is stored was read once

	mu        sync.RWMutex
	records   [store.Shards]map[string]held // by [store.ShardOf]; removed ones too
	untold    []string                      // those that became different since followers were told
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
	d := &Directory{now: now, followers: make(map[*follower]struct{})}
	d.collection = store.NewCollection(documents, DirectoryName, d.take)
	return d
}

// Load reads what has changed, and writes nothing. Errors are those of
// [store.Collection.Load]; one of a record names its client. [store.ErrGone] is that of
// documents which this directory knows: before the first Load has succeeded, one that
// is missing is another error, and what is not in the index is looked for too.
func (d *Directory) Load(ctx context.Context) error {
	defer d.tell()
	err := d.collection.Load(ctx)
	if err == nil && !d.loaded.Load() {
		err = d.collection.Search(ctx)
	}
	switch {
	case err == nil:
		d.loaded.Store(true)
	case errors.Is(err, store.ErrGone) && !d.loaded.Load(): // nobody here knows who was in it
		return fmt.Errorf("loading the clients made at run time: %v; restore it from a backup", err) //nolint:errorlint // it is not what ErrGone promises
	}
	return err
}

// Stored tells whether the directory was stored, if without a client, when it was last
// read or written.
func (d *Directory) Stored() bool { return d.collection.Stored() }

// Begin stores that there is a directory, where that is not stored: from then on, one
// that is missing was lost. It also tells others of all that is known where the index
// is gone.
func (d *Directory) Begin(ctx context.Context) error {
	if err := d.collection.Begin(ctx); err != nil {
		return fmt.Errorf("recording the clients made at run time: %w", err)
	}
	return nil
}

// Get returns a client that was not removed. It must not be changed.
func (d *Directory) Get(id string) (*Record, bool) {
	found, ok := d.find(store.ShardOf(id), id)
	if !ok || found.record.Removed {
		return nil, false
	}
	return found.record, true
}

// Epoch is that of a client, also where it was removed; 0 for one that never was.
func (d *Directory) Epoch(id string) uint64 {
	if found, ok := d.find(store.ShardOf(id), id); ok {
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
	list := d.list()
	return func(yield func(*Record) bool) {
		for _, record := range list {
			if !yield(record) {
				return
			}
		}
	}
}

func (d *Directory) list() []*Record {
	d.mu.RLock()
	defer d.mu.RUnlock()
	count := 0
	for _, known := range d.records {
		count += len(known)
	}
	list := make([]*Record, 0, count)
	for _, known := range d.records {
		for _, found := range known {
			if !found.record.Removed {
				list = append(list, found.record)
			}
		}
	}
	return list
}

// take takes over what is stored of a part of the clients.
func (d *Directory) take(shard int, stored map[string]json.RawMessage) error {
	fresh, err := d.understand(shard, stored)
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.records[shard]
	if known == nil {
		known = make(map[string]held, len(fresh))
		d.records[shard] = known
	}
	for _, one := range fresh {
		known[one.record.ID] = one
		if len(d.followers) > 0 { // who follows later looks at all
			d.untold = append(d.untold, one.record.ID)
		}
	}
	return err
}

// understand decodes the records that are not known as they are. One that cannot be
// understood keeps none of the others back: they may be of clients that were disabled.
func (d *Directory) understand(shard int, stored map[string]json.RawMessage) ([]held, error) {
	fresh, texts := make([]held, 0, len(stored)), make(sharedTexts)
	var damaged error
	for id, data := range stored {
		source := maphash.Bytes(recordSeed, data)
		known, ok := d.find(shard, id)
		if ok && known.source == source {
			continue
		}
		record, err := decodeRecord(id, data, texts)
		if err != nil {
			damaged = errors.Join(damaged, d.damaged(id, err))
			continue
		}
		if ok { // a document put back from a backup must not bring tokens back to life
			record.Epoch = max(record.Epoch, known.record.Epoch)
		}
		fresh = append(fresh, held{record: record, source: source})
	}
	return fresh, damaged
}

// find holds the lock for no longer than that: other parts are understood meanwhile.
func (d *Directory) find(shard int, id string) (held, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	found, ok := d.records[shard][id]
	return found, ok
}

func (d *Directory) damaged(id string, err error) error {
	return fmt.Errorf("client %q: %w", id, err)
}
