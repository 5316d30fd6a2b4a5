package client

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// What noting costs a request: for a secret that is known, also where all
// processors use the same one, and among many.
func BenchmarkUsageNote(b *testing.B) {
	for _, secrets := range []int{1, 100_000} {
		ids := make([]string, secrets)
		for i := range ids {
			ids[i] = fmt.Sprint("client-", i)
		}
		u := NewUsage(store.NewMemory(), time.Now)
		for _, id := range ids {
			u.Note(id, "1", "192.0.2.1")
		}
		b.Run(fmt.Sprint(secrets, "/one by one"), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				u.Note(ids[i%secrets], "1", "192.0.2.1")
			}
		})
		b.Run(fmt.Sprint(secrets, "/at once"), func(b *testing.B) {
			b.ReportAllocs()
			var workers atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				for i := int(workers.Add(1)) * 1000; pb.Next(); i++ {
					u.Note(ids[i%secrets], "1", "192.0.2.1")
				}
			})
		})
	}
}

// Storing what 100,000 secrets were used for is the work of one batch.
func BenchmarkUsageFlush(b *testing.B) {
	u := NewUsage(store.NewMemory(), time.Now)
	for b.Loop() {
		for i := range 100_000 {
			u.Note(fmt.Sprint("client-", i), "1", "192.0.2.1")
		}
		if err := u.Flush(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
