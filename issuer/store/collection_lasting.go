package store

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
)

// Lasting is what there is to know of records that nobody removes before they
// have lapsed. What was lost of them can then be written again by any process that
// holds them.
type Lasting struct {
	// Held returns the records of a shard that the owner holds, all that was
	// handed over and has not lapsed.
	Held func(shard int) map[string]json.RawMessage
	// Lapsed tells that a record is needed no more. It is asked before a shard is
	// written.
	Lapsed func(record json.RawMessage) bool
}

// NewLastingCollection returns a collection as [NewCollection] does, of lasting
// records. Where a shard that was there before is gone or went back to an earlier
// state, the next change of it stores what the owner holds again.
func NewLastingCollection(
	documents Documents, name string, take func(shard int, records map[string]json.RawMessage) error, lasting Lasting,
) *Collection {
	c := NewCollection(documents, name, take)
	c.lasting = &lasting
	return c
}

// Restore writes again what the owner of lasting records holds, as far as its
// documents are gone. It is for when [Collection.Load] has said [ErrGone].
func (c *Collection) Restore(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.restore(ctx)
}

func (c *Collection) restore(ctx context.Context) error {
	changed := make(map[int]uint64)
	for _, shard := range slices.Sorted(maps.Keys(c.known)) {
		version, err := c.changeShard(ctx, shard, nil, nil)
		if err != nil {
			return err
		}
		changed[shard] = max(version, c.known[shard])
	}
	return c.announce(ctx, changed)
}

// heal completes a shard that was read, missing or not, where it is not what it
// was before.
func (c *Collection) heal(shard int, missing bool, read *collectionShard) (healed bool, err error) {
	switch {
	case read.Version >= c.known[shard]:
		return false, nil
	case c.lasting == nil && missing:
		return false, c.gone(c.shardName(shard))
	case c.lasting == nil: // put back from a backup, by somebody who knows why
		return false, nil
	}
	for key, record := range c.lasting.Held(shard) {
		if _, there := read.Records[key]; !there {
			read.Records[key] = record
		}
	}
	return true, nil
}

// sweep drops what has lapsed from a shard that is to be written.
func (c *Collection) sweep(shard *collectionShard) {
	if c.lasting == nil {
		return
	}
	maps.DeleteFunc(shard.Records, func(_ string, record json.RawMessage) bool { return c.lasting.Lapsed(record) })
}
