package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
)

// versionStep is how far apart versions may be: 2^33 changes of a shard stay within
// what every JSON reader keeps exactly.
const versionStep = 1 << 20

// Shards is over how many documents a [Collection] spreads its records.
const Shards = 256

// Collection keeps many small records by key in [Documents]: in shards, so that
// a change writes a part alone, with an index of them, so that looking for
// changes of others reads one small document. What the records mean is their
// owner's business, who holds them in memory. It is safe for concurrent use.
type Collection struct {
	documents Documents
	name      string
	take      func(shard int, records map[string]json.RawMessage) error
	lasting   *Lasting // nil: records change and go as their owner says

	mu      sync.Mutex
	known   map[int]uint64 // the version of each shard that was handed over last
	indexed bool           // there was an index when it was last read or written
}

// NewCollection returns the collection that is kept in the documents
// "<name>.json", the index, and "<name>-00.json" to "<name>-ff.json". Nothing is
// read yet.
//
// take is told all records of a shard whenever they were read or changed, and keeps
// what it is given. It is called for several shards at the same time, for each of
// them one call at a time. Its error says that a record cannot be understood: then
// nothing of the shard was taken.
func NewCollection(documents Documents, name string, take func(shard int, records map[string]json.RawMessage) error) *Collection {
	return &Collection{documents: documents, name: name, take: take, known: make(map[int]uint64)}
}

// ShardOf is where the record of a key is: a number below [Shards].
func ShardOf(key string) int {
	sum := sha256.Sum256([]byte(key))
	return int(sum[0])
}

// Load reads what has changed since the last call, and writes nothing. A
// collection that was never written is empty ([Collection.Stored] tells); where it was there before, and is
// gone, the error is [ErrGone]. A document that cannot be read is [ErrUnreadable],
// which names it. Neither keeps back the others; where there are both, the error is
// not ErrGone. After an error, what was known before stays.
func (c *Collection) Load(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	index, err := c.readIndex(ctx)
	if err != nil {
		return err
	}
	if index == nil && c.indexed {
		return c.gone(c.indexName())
	}
	c.indexed = index != nil
	for shard := range c.known {
		if _, listed := index[shard]; !listed {
			return c.gone(c.indexName())
		}
	}
	maps.DeleteFunc(index, func(shard int, version uint64) bool { return version == c.known[shard] })
	return c.loadShards(ctx, slices.Sorted(maps.Keys(index)))
}

// Stored tells whether the collection was stored, if without a record, when it was
// last read or written.
func (c *Collection) Stored() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.indexed
}

// Delete is what a change returns to remove the record.
var Delete = json.RawMessage{}

// Change changes the records of the keys. change is called with each key and
// its record as it is stored at that moment, nil where there is none, and returns
// what to store: nil leaves it as it is, [Delete] removes it. Others change none
// of them meanwhile, or change is called again, so it must be fit to be repeated.
//
// When Change returns nil, all is stored, and was handed over. An error of change
// is returned as it is. After one, other shards than that of the key may have been
// stored: of several keys, those of one shard are stored together or not at all.
// A shard that cannot be read, [ErrUnreadable], keeps none of the others back.
func (c *Collection) Change(ctx context.Context, keys []string, change func(key string, old json.RawMessage) (json.RawMessage, error)) error {
	byShard := make(map[int][]string)
	for _, key := range keys {
		byShard[ShardOf(key)] = append(byShard[ShardOf(key)], key)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	before, changed := maps.Clone(c.known), make(map[int]uint64, len(byShard))
	var err error
	for _, shard := range slices.Sorted(maps.Keys(byShard)) {
		version, problem := c.changeShard(ctx, shard, byShard[shard], change)
		if version > 0 {
			changed[shard] = version
		}
		if err = errors.Join(err, problem); problem != nil && !errors.Is(problem, ErrUnreadable) {
			break
		}
	}
	// What is stored must be known to all, also where the one who asked has gone.
	lasting, cancel := context.WithTimeout(context.WithoutCancel(ctx), LockTimeout)
	defer cancel()
	unannounced := c.announce(lasting, changed)
	if unannounced != nil { // a Load must not take what is not in the index for gone
		c.known = before
	}
	return errors.Join(err, unannounced)
}

// changeShard returns the version that is stored then; 0 where there is none, or it
// is not known. Where change refuses, what is stored is handed over all the same: it
// may be what an earlier change has stored and could not announce.
func (c *Collection) changeShard(
	ctx context.Context, shard int, keys []string, change func(string, json.RawMessage) (json.RawMessage, error),
) (version uint64, err error) {
	var fresh, read collectionShard
	var refused bool
	err = c.documents.Update(ctx, c.shardName(shard), func(old []byte) ([]byte, error) {
		refused = false
		if fresh, err = c.decodeShard(shard, old); err != nil {
			return nil, err
		}
		read = collectionShard{Version: fresh.Version, Records: maps.Clone(fresh.Records)}
		healed, err := c.heal(shard, old == nil, &fresh)
		if err != nil {
			return nil, err
		}
		altered, err := fresh.apply(keys, change)
		refused = err != nil
		if version = fresh.Version; err != nil || !altered && !healed {
			return nil, err
		}
		c.sweep(&fresh)
		// No version may stand for two states: not where a document was put back from
		// a backup, nor where two processes follow one that a failover has lost.
		fresh.Version = max(fresh.Version, c.known[shard]) + 1 + rand.Uint64N(versionStep) //nolint:gosec // no secret
		version = fresh.Version
		return json.Marshal(fresh)
	})
	switch {
	case refused && read.Version > 0:
		return read.Version, errors.Join(err, c.handOver(shard, read))
	case err != nil:
		return 0, err
	}
	return version, c.handOver(shard, fresh)
}

func (c *Collection) takeShard(shard int, data []byte) error {
	stored, err := c.decodeShard(shard, data)
	if err != nil {
		return err
	}
	return c.handOver(shard, stored)
}

func (c *Collection) handOver(shard int, stored collectionShard) error {
	err := c.offer(shard, stored)
	if err == nil && stored.Version > 0 {
		c.known[shard] = stored.Version
	}
	return err
}

// offer hands a shard over, and leaves it to the caller to note that.
func (c *Collection) offer(shard int, stored collectionShard) error {
	if stored.Version == c.known[shard] {
		return nil
	}
	if err := c.take(shard, stored.Records); err != nil {
		return fmt.Errorf("%s: %w: %w; it is left as it is: repair it or restore it from a backup", c.shardName(shard), ErrUnreadable, err)
	}
	return nil
}

func (c *Collection) gone(name string) error {
	return fmt.Errorf("%s: %w; what was known stays in force", name, ErrGone)
}

func (c *Collection) shardName(shard int) string { return fmt.Sprintf("%s-%02x.json", c.name, shard) }
