package keys

import (
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

func TestLookupsDoNotAllocate(t *testing.T) {
	ring := NewRing(store.NewMemory(), new(clock).now)
	maintain(t, ring, usual)
	kid := signing(t, ring)
	allocations := testing.AllocsPerRun(100, func() {
		_, _ = ring.Signer()
		_, _ = ring.Key(kid)
		_ = ring.Generation()
		_, _ = ring.JWKS()
	})
	if allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func BenchmarkRing(b *testing.B) {
	ring := NewRing(store.NewMemory(), time.Now)
	maintain(b, ring, usual)
	kid := signing(b, ring)
	b.Run("Signer", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = ring.Signer()
		}
	})
	b.Run("Key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = ring.Key(kid)
		}
	})
	b.Run("Maintain when nothing is due", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			maintain(b, ring, usual)
		}
	})
}
