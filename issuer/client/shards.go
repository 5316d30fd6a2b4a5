package client

import (
	"hash/maphash"
	"iter"
	"maps"
)

// shardCount is into how many maps [shards] are divided: a change copies one of
// them, some hundred entries where there are 100,000.
const shardCount = 256

var shardSeed = maphash.MakeSeed()

func shardOf[K comparable](key K) uint8 { return uint8(maphash.Comparable(shardSeed, key)) } //nolint:gosec // the lowest bits

// shards is a map that does not change. A changed one shares with it what is the
// same.
type shards[K comparable, V any] [shardCount]map[K]V

func (s *shards[K, V]) get(key K) (V, bool) {
	value, found := s[shardOf(key)][key]
	return value, found
}

func (s *shards[K, V]) all() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, shard := range s {
			for key, value := range shard {
				if !yield(key, value) {
					return
				}
			}
		}
	}
}

func (s *shards[K, V]) len() (count int) {
	for _, shard := range s {
		count += len(shard)
	}
	return count
}

// shardsEdit is a changed [shards] in the making.
type shardsEdit[K comparable, V any] struct {
	shards[K, V]
	copied [shardCount]bool
	size   int // of a shard that is new
}

// edit begins a change that adds so many.
func (s *shards[K, V]) edit(more int) *shardsEdit[K, V] {
	return &shardsEdit[K, V]{shards: *s, size: more / shardCount}
}

func (e *shardsEdit[K, V]) set(key K, value V) { e.own(shardOf(key))[key] = value }

func (e *shardsEdit[K, V]) remove(key K) { delete(e.own(shardOf(key)), key) }

// own returns a shard that may be changed.
func (e *shardsEdit[K, V]) own(shard uint8) map[K]V {
	if !e.copied[shard] {
		e.copied[shard] = true
		if e.shards[shard] = maps.Clone(e.shards[shard]); e.shards[shard] == nil {
			e.shards[shard] = make(map[K]V, e.size)
		}
	}
	return e.shards[shard]
}
