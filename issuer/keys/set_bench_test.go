package keys

import (
	"fmt"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

func TestFindDoesNotAllocate(t *testing.T) {
	set := parse(t, setOf(jwk(token.ES256).with("kid", "a"), jwk(token.RS256)))
	held := NewHeld(set)
	allocations := testing.AllocsPerRun(100, func() {
		_ = set.Find("a", token.ES256)
		_ = set.Find("unknown", token.RS256)
		_, _ = held.Find(t.Context(), "a", token.ES256)
	})
	if allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func BenchmarkFind(b *testing.B) {
	keys := make([]member, 0, 10)
	for i := range cap(keys) {
		keys = append(keys, jwk(token.ES256).with("kid", fmt.Sprint("key-", i)))
	}
	set := parse(b, setOf(keys...))
	for _, kid := range []string{"key-7", "unknown", ""} {
		b.Run("kid "+kid, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = set.Find(kid, token.ES256)
			}
		})
	}
}

func BenchmarkParseSet(b *testing.B) {
	for _, alg := range token.Algorithms() {
		text := []byte(setOf(jwk(alg).with("kid", "a")))
		b.Run(string(alg), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseSet(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
