package store

import "sync"

// shard is a part of [MemoryMarks] with a lock of its own.
//
// The marks that lapse in the same second are a chain: due has the first one,
// and each has the number of the next, so that a second is forgotten without a
// search.
type shard struct {
	mu     sync.Mutex
	places int
	quota  int // of one owner
	closed bool
	swept  uint32 // what is due by this second was forgotten
	live   table
	due    map[uint32]uint32 // second to slot
	held   map[uint64]int    // how many each owner holds; no entry: none
}

func (s *shard) init(places int) {
	s.places = places
	s.quota = max(1, places/ownerShare)
	s.live = newTable()
	s.due = make(map[uint32]uint32)
	s.held = make(map[uint64]int)
}

func (s *shard) mark(m record, now uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.sweep(now)
	if m.due <= s.swept {
		return ErrStale
	}
	if s.live.has(m.key) {
		return ErrUsed
	}
	if s.live.count >= s.places || s.held[m.owner] >= s.quota {
		return ErrFull
	}
	s.note(m)
	return nil
}

func (s *shard) note(m record) {
	s.due[m.due] = s.live.add(slot{key: m.key, owner: m.owner, next: s.due[m.due]})
	s.held[m.owner]++
}

// sweep forgets what has lapsed. Each mark is forgotten once, and a second
// without any costs a look: what one call does was paid for by those before.
func (s *shard) sweep(now uint32) {
	if now <= s.swept {
		return
	}
	if uint64(now-s.swept) > uint64(len(s.due)) { // nobody came for long
		for second := range s.due {
			if second <= now {
				s.forget(second)
			}
		}
		s.swept = now
		return
	}
	for s.swept < now {
		s.swept++
		s.forget(s.swept)
	}
}

func (s *shard) forget(second uint32) {
	for number := s.due[second]; number != 0; {
		gone := s.live.remove(number)
		if s.held[gone.owner]--; s.held[gone.owner] == 0 {
			delete(s.held, gone.owner)
		}
		number = gone.next
	}
	delete(s.due, second)
}

func (s *shard) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live.count
}

func (s *shard) close(live []record, now uint32) (all []record, swept uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.sweep(now)
	for second, number := range s.due {
		for number != 0 {
			found := s.live.slots[number]
			live = append(live, record{key: found.key, owner: found.owner, due: second})
			number = found.next
		}
	}
	return live, s.swept
}

func (s *shard) restore(m record, now uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	if m.due > s.swept {
		s.note(m)
	}
}
