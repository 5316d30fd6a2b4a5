package store

import "hash/maphash"

// table is a hash table of live marks. Its links are numbers of slots: Go's map
// takes more than twice the memory, twice that again when marks have come and
// gone for long, and this has no pointers for the garbage collector to follow.
type table struct {
	seed  maphash.Seed // nobody can choose IDs that all meet in one chain
	heads []uint32     // the first slot of each chain
	slots []slot       // number 0 is not used: it ends chains
	free  uint32       // the first slot that is not in use
	count int
}

type slot struct {
	key   markKey
	owner uint64
	after uint32 // the next one in the chain, or the next free one
	next  uint32 // the next one that lapses in the same second
}

// leastHeads is the size of an empty table.
const leastHeads = 8

func newTable() table {
	return table{seed: maphash.MakeSeed(), heads: make([]uint32, leastHeads), slots: make([]slot, 1)}
}

func (t *table) head(key markKey) *uint32 {
	return &t.heads[maphash.Bytes(t.seed, key[:])%uint64(len(t.heads))]
}

func (t *table) has(key markKey) bool {
	for number := *t.head(key); number != 0; number = t.slots[number].after {
		if t.slots[number].key == key {
			return true
		}
	}
	return false
}

// add puts in what must not be there yet, and returns the number of its slot.
func (t *table) add(added slot) uint32 {
	if t.count >= len(t.heads) {
		t.grow()
	}
	number := t.free
	if number != 0 {
		t.free = t.slots[number].after
	} else {
		number = uint32(len(t.slots)) //nolint:gosec // there is no memory for 2^32 slots
		t.slots = append(t.slots, slot{})
	}
	head := t.head(added.key)
	added.after = *head
	*head = number
	t.slots[number] = added
	t.count++
	return number
}

// remove frees a slot that is in use, and returns what was in it.
func (t *table) remove(number uint32) slot {
	removed := t.slots[number]
	link := t.head(removed.key)
	for *link != number {
		link = &t.slots[*link].after
	}
	*link = removed.after
	t.slots[number] = slot{after: t.free}
	t.free = number
	t.count--
	return removed
}

// grow doubles the number of chains, so that they stay short.
func (t *table) grow() {
	old := t.heads
	t.heads = make([]uint32, 2*len(old))
	for _, number := range old {
		for number != 0 {
			moved := &t.slots[number]
			head := t.head(moved.key)
			number, moved.after, *head = moved.after, *head, number
		}
	}
}
