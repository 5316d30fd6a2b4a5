package gate

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// What a remembered token costs, and that it costs no more where there are
// many: beyond the bound, older ones go, and `found` says how many are left of a
// hundred that come in turn.
func BenchmarkCache(b *testing.B) {
	for _, count := range []int{1, 1000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			before := heap()
			cache := NewCache()
			for i := range count {
				cache.entries.Set(keyOf(i), remembered(i))
			}
			kept := cache.Len()
			used := heap() - before
			found, asked := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				if _, hit := cache.entries.GetIfPresent(keyOf(asked % count)); hit {
					found++
				}
				asked++
			}
			b.ReportMetric(float64(kept), "tokens")
			b.ReportMetric(float64(used)/float64(kept), "B/token")
			b.ReportMetric(100*float64(found)/float64(asked), "found")
		})
	}
}

func keyOf(i int) (key digest) {
	binary.BigEndian.PutUint64(key[:], uint64(i)*0x9E3779B97F4A7C15) // as spread as hashes are
	return key
}

// remembered is the entry of a token of a usual size, which shares with others
// what [Gate.share] says.
func remembered(i int) *entry {
	text, client := strings.Clone, strings.Clone("nightly-batch")
	claims := &token.Claims{
		Issuer: "https://api.example.com", Subject: client, ClientID: client,
		Audience: []string{"https://api.example.com"}, Scope: token.Scopes{text("orders:read"), text("orders:write")},
		ID: fmt.Sprintf("%022d", i), IssuedAt: 1_800_000_000, Expires: 1_800_003_600,
	}
	return &entry{claims: *claims, size: entrySize(strings.Repeat("x", 550), claims)} // ES256
}

// heap is what is in use, without garbage.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return memory.HeapAlloc
}
