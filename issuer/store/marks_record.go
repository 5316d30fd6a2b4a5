package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"
)

// record is a mark as it is held and stored. It has a fixed size, and shows
// neither a client_id nor a `jti`.
type record struct {
	key   markKey
	owner uint64 // two owners that share a number share their part of the places, and nothing else
	due   uint32 // Unix second at which it lapses; what lapses after February 2106 counts as then
}

// compare orders records by their keys.
func (r record) compare(other record) int { return bytes.Compare(r.key[:], other.key[:]) }

// markKey names a use. Nobody can find another one with the same key: that
// would take 2^128 tries for somebody else's.
type markKey [16]byte

func keyOf(m Mark) markKey {
	sum := digest(m.Kind, m.Owner, m.ID)
	return markKey(sum[:len(markKey{})])
}

func ownerOf(m Mark) uint64 {
	sum := digest(m.Kind, m.Owner)
	return binary.BigEndian.Uint64(sum[:8])
}

// digest puts the length before each part, so that no two lists of parts are
// the same text.
func digest(parts ...string) [sha256.Size]byte {
	var space [256]byte // enough for the usual ones, without an allocation
	text := space[:0]
	for _, part := range parts {
		text = binary.AppendUvarint(text, uint64(len(part)))
		text = append(text, part...)
	}
	return sha256.Sum256(text)
}

// secondOf returns the second that has begun.
func secondOf(t time.Time) uint32 { return bounded(t.Unix()) }

// secondAfter returns the first second that does not begin before t: a mark
// may lapse late, and never early.
func secondAfter(t time.Time) uint32 {
	second := t.Unix()
	if t.Nanosecond() > 0 {
		second++
	}
	return bounded(second)
}

func bounded(second int64) uint32 { return uint32(max(0, min(second, math.MaxUint32))) }
