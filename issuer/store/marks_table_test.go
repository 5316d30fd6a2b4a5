package store

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// Against Go's own map: what was added is there, what was removed is not, and
// slots are used again.
func TestTableAgainstMap(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 0))
		found, model := newTable(), make(map[markKey]uint32)
		most := 0
		for range 20_000 {
			var key markKey
			binary.BigEndian.PutUint64(key[:], random.Uint64N(500))
			number, known := model[key]
			if found.has(key) != known {
				t.Fatalf("seed %d: has %x is %v, expected %v", seed, key, !known, known)
			}
			if !known {
				model[key] = found.add(slot{key: key, owner: 1, next: 2})
			} else if removed := found.remove(number); removed.key == key && removed.owner == 1 && removed.next == 2 {
				delete(model, key)
			} else {
				t.Fatalf("seed %d: removed %+v, expected %x", seed, removed, key)
			}
			if most = max(most, len(model)); found.count != len(model) || len(found.slots) > most+1 {
				t.Fatalf("seed %d: %d marks in %d slots, expected %d in %d", seed, found.count, len(found.slots), len(model), most+1)
			}
		}
	}
}

// What belongs to owners leaves with their marks, and so do seconds.
func TestShardKeepsNothingBehind(t *testing.T) {
	t.Parallel()
	var s shard
	s.init(1000)
	for number := range uint32(1000) {
		var m record
		binary.BigEndian.PutUint32(m.key[:], number)
		m.owner, m.due = uint64(number%300), 1000+number%50
		if err := s.mark(m, 999); err != nil {
			t.Fatal(err)
		}
	}
	for _, now := range []uint32{1010, 1049, 5000} { // step by step, and after a long time
		s.sweep(now)
		if left := max(0, 1049-int(now)) * 20; s.live.count != left || len(s.due) != left/20 || len(s.held) > left {
			t.Errorf("at %d: %d marks, %d seconds, %d owners; expected %d marks", now, s.live.count, len(s.due), len(s.held), left)
		}
	}
}
