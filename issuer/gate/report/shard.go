package report

import (
	"slices"
	"strings"
	"sync"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// shard holds the rows of some origins.
type shard struct {
	mutex sync.Mutex
	rows  map[string]*counts
	each  map[origin]int64 // how many rows an origin has

	_ [64]byte // the next shard's lock is on another cache line
}

// counts is a row without what its key says.
type counts struct {
	from                origin
	other               bool
	reported, refused   uint64
	passed              uint64
	firstSeen, lastSeen int64 // Unix time in nanoseconds
	needs               []token.Scopes
	scope               token.Scopes
	id                  string
}

func (s *shard) clear() {
	s.rows, s.each = make(map[string]*counts), make(map[origin]int64)
}

func (s *shard) add(entry *Entry, key []byte, from origin, room *room, now int64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	found, known := s.rows[string(key)]
	if !known {
		found = s.make(entry, key, from, room, now)
	}
	found.count(entry, now)
}

// make adds a row, or finds the one for what has no room.
func (s *shard) make(entry *Entry, key []byte, from origin, room *room, now int64) *counts {
	other := s.each[from] >= room.each || !room.take()
	if other {
		key = entry.appendOtherKey(key[:0])
		if found, known := s.rows[string(key)]; known {
			return found
		}
	}
	fresh := &counts{other: other, firstSeen: now, lastSeen: now}
	if !other {
		fresh.from = from.clone()
		s.each[fresh.from]++
	}
	s.rows[string(key)] = fresh
	return fresh
}

func (c *counts) count(entry *Entry, now int64) {
	switch {
	case entry.Passed:
		c.passed++
	case entry.Enforced:
		c.refused++
	default:
		c.reported++
	}
	// The clock was read before the lock was held.
	c.firstSeen, c.lastSeen = min(c.firstSeen, now), max(c.lastSeen, now)
	c.id = entry.ID
	if c.other {
		return // the others have nothing in common
	}
	c.needs = entry.Needs
	if scope := cutScopes(entry.Scope); !slices.Equal(c.scope, scope) {
		c.scope = cloneScopes(scope)
	}
}

// maxScope bounds the scopes of a token that are kept, in octets.
const maxScope = 1024

// cutScopes is the first of the scopes.
func cutScopes(scope token.Scopes) token.Scopes {
	length := 0
	for i, value := range scope {
		if length += len(value) + 1; length > maxScope {
			return scope[:i]
		}
	}
	return scope
}

// cloneScopes copies what may be a part of a long token.
func cloneScopes(scope token.Scopes) token.Scopes {
	kept := make(token.Scopes, len(scope))
	for i, value := range scope {
		kept[i] = strings.Clone(value)
	}
	return kept
}

// collect adds the shard's rows that are wanted to all, by key: others of the same
// gate, site and reason are in several shards.
func (s *shard) collect(all map[string]*Row, wanted *Filter, remove bool, rooms *[2]room) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for key, c := range s.rows {
		row := c.row(key)
		if !wanted.wants(&row) {
			continue
		}
		if earlier, ok := all[key]; ok {
			earlier.merge(&row)
		} else {
			all[key] = &row
		}
		if remove {
			s.remove(key, c, row.Verified, rooms)
		}
	}
}

func (s *shard) remove(key string, c *counts, verified bool, rooms *[2]room) {
	delete(s.rows, key)
	if c.other {
		return
	}
	if s.each[c.from]--; s.each[c.from] == 0 {
		delete(s.each, c.from)
	}
	if verified {
		rooms[1].used.Add(-1)
	} else {
		rooms[0].used.Add(-1)
	}
}
