package revocation_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// many is how many tokens the larger benchmarks have revoked.
const many = 1_000_000

// fill stores so many revocations as a run before would have, and returns a list
// that has loaded them.
func fill(b *testing.B, documents store.Documents, count int) *revocation.List {
	b.Helper()
	now := func() time.Time { return time.Unix(1_800_000_000, 0) }
	var shards [store.Shards]map[string]int64
	for range count {
		key := keyOf(token.NewID(0))
		number := store.ShardOf(key)
		if shards[number] == nil {
			shards[number] = make(map[string]int64)
		}
		shards[number][key] = now().Unix() + 3600
	}
	index := make(map[string]int)
	for number, records := range shards {
		if records != nil {
			index[fmt.Sprintf("%02x", number)] = 1
			put(b, documents, fmt.Sprintf("%s-%02x.json", revocation.Name, number), struct {
				Version int              `json:"version"`
				Records map[string]int64 `json:"records"`
			}{1, records})
		}
	}
	if count > 0 {
		put(b, documents, revocation.DocumentName, map[string]any{"shards": index})
	}
	list := revocation.NewList(documents, now)
	if err := list.Load(b.Context()); err != nil || list.Len() != count {
		b.Fatal(list.Len(), err)
	}
	return list
}

func put(b *testing.B, documents store.Documents, name string, document any) {
	b.Helper()
	data, err := json.Marshal(document)
	if err != nil {
		b.Fatal(err)
	}
	if err := documents.Update(b.Context(), name, func([]byte) ([]byte, error) { return data, nil }); err != nil {
		b.Fatal(err)
	}
}

// What a million revoked tokens take in memory, and how long a start reads them.
func BenchmarkLoad(b *testing.B) {
	documents := store.NewMemory()
	fill(b, documents, many)
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	var list *revocation.List
	for b.Loop() {
		list = revocation.NewList(documents, func() time.Time { return time.Unix(1_800_000_000, 0) })
		if err := list.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(heap()-before)/many, "B/entry")
	runtime.KeepAlive(list)
}

// What it costs to ask for a token that was not revoked.
func BenchmarkRevoked(b *testing.B) {
	for _, count := range []int{0, 1, many} {
		b.Run(strconv.Itoa(count), func(b *testing.B) {
			list := fill(b, store.NewMemory(), count)
			jti := token.NewID(0)
			for b.Loop() {
				if list.Revoked(jti) {
					b.Fatal("it was not")
				}
			}
		})
	}
}

func BenchmarkRevoke(b *testing.B) {
	for _, count := range []int{0, many} {
		b.Run(strconv.Itoa(count), func(b *testing.B) {
			list := fill(b, store.NewMemory(), count)
			for b.Loop() {
				if err := list.Revoke(b.Context(), token.NewID(0), 1_800_003_600); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
