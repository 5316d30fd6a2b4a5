package store

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"time"
)

// DefaultPlaces is how many marks [MemoryMarks] holds unless it is told
// otherwise.
const DefaultPlaces = 1_000_000

const (
	// ownerShare is the part of the places that one owner may hold.
	ownerShare = 4

	// maxShards is how many parts with a lock of their own there are at most.
	maxShards = 64

	// leastPlaces is how many places a shard has at least, where there are
	// several: chance fills smaller ones too unevenly.
	leastPlaces = 1024
)

// MemoryMarks keeps marks in the process, for as long as it lives. It implements
// [Marks]; a [Journal] makes it outlive a restart.
//
// It takes some 45 bytes for each mark, and 35 more where each is another
// owner's; what a flood took stays taken for the next one. Marks lapse as others
// come: nothing runs in the background.
//
// A clock that is set back does not bring forgotten marks back: what lapses
// before the latest time that was seen is refused with [ErrStale], until the
// clock is there again.
type MemoryMarks struct {
	now    func() time.Time
	seed   maphash.Seed // nobody can choose IDs that all meet in one shard
	shards []shard
}

// NewMemoryMarks returns an empty place for that many marks at most (0:
// [DefaultPlaces]), of which one owner may hold a quarter. Large ones are made of
// parts that chance fills, so that [ErrFull] may come a few per cent early. now
// is the clock.
//
// It knows of no use before: who makes one anew at each start must see to what
// was used until then, or have a [Journal] do it.
func NewMemoryMarks(places int, now func() time.Time) *MemoryMarks {
	if places <= 0 {
		places = DefaultPlaces
	}
	number := 1
	for number < maxShards && places/(2*number) >= leastPlaces {
		number *= 2
	}
	m := &MemoryMarks{now: now, seed: maphash.MakeSeed(), shards: make([]shard, number)}
	for i := range m.shards {
		m.shards[i].init(places / number)
	}
	return m
}

// Mark implements [Marks].
func (m *MemoryMarks) Mark(ctx context.Context, mark Mark) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("noting a use: %w", err)
	}
	found := record{key: keyOf(mark), owner: ownerOf(mark), due: secondAfter(mark.Until)}
	return m.shardOf(found.key).mark(found, secondOf(m.now()))
}

// Len returns how many marks are held. Some of them may have lapsed.
func (m *MemoryMarks) Len() int {
	number := 0
	for i := range m.shards {
		number += m.shards[i].len()
	}
	return number
}

func (m *MemoryMarks) shardOf(key markKey) *shard {
	number := maphash.Bytes(m.seed, key[:]) % uint64(len(m.shards))
	return &m.shards[number]
}

// close lets every later Mark fail with [ErrClosed], and returns all that are
// live, by key, and the second up to which marks were forgotten. It may be
// called again.
func (m *MemoryMarks) close() (live []record, forgotten uint32) {
	now := secondOf(m.now())
	live = make([]record, 0, m.Len())
	for i := range m.shards {
		var swept uint32
		live, swept = m.shards[i].close(live, now)
		forgotten = max(forgotten, swept)
	}
	slices.SortFunc(live, record.compare)
	return live, forgotten
}

// restore takes marks over from an earlier life, each once and before the first
// Mark, also beyond the number of places: to leave one out would let it be
// replayed.
func (m *MemoryMarks) restore(marks []record) {
	now := secondOf(m.now())
	for _, mark := range marks {
		m.shardOf(mark.key).restore(mark, now)
	}
}

// Interface guard.
var _ Marks = (*MemoryMarks)(nil)
