package gate_test

import (
	"fmt"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// The usual request: a token that was seen before and a rule.
func BenchmarkKnownToken(b *testing.B) {
	f := newFixture(b)
	g := f.gate(func(c *gate.Config) {
		c.Rules = []gate.Rule{{Methods: []string{"GET"}, Pattern: "/orders/{id}", Scopes: token.Scopes{"orders:read"}}}
	})
	request := get("/orders/17", bearer(f.sign(f.claims("orders:read", "orders:write")))...)
	b.ReportAllocs()
	for b.Loop() {
		if verdict := g.Check(b.Context(), request); !verdict.Allowed {
			b.Fatal(verdict.Reason)
		}
	}
}

// Many requests with known tokens at once: they must not wait for each other.
func BenchmarkKnownTokenParallel(b *testing.B) {
	f := newFixture(b)
	g, request := f.gate(), get("/orders/17", bearer(f.sign(f.claims("orders:read")))...)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if verdict := g.Check(b.Context(), request); !verdict.Allowed {
				b.Error(verdict.Reason)
			}
		}
	})
}

// A token that was never seen costs one signature check.
func BenchmarkNewToken(b *testing.B) {
	for _, alg := range token.Algorithms() {
		b.Run(string(alg), func(b *testing.B) {
			f := newFixture(b)
			f.signer = f.keys.make(b, "bench", alg)
			g, request := f.gate(), get("/", bearer(f.sign(f.claims("orders:read")))...)
			b.ReportAllocs()
			for b.Loop() {
				f.keys.generation.Add(1) // as if it had never been seen
				if verdict := g.Check(b.Context(), request); !verdict.Allowed {
					b.Fatal(verdict.Reason)
				}
			}
		})
	}
}

// Bad signatures must not cost more than good ones, nor leave anything behind.
func BenchmarkInvalidSignature(b *testing.B) {
	f := newFixture(b)
	g := f.gate()
	raw := []byte(f.sign(f.claims()))
	for i := len(raw) - 80; i < len(raw)-10; i++ {
		raw[i] = 'A'
	}
	request := get("/", bearer(string(raw))...)
	b.ReportAllocs()
	for b.Loop() {
		if verdict := g.Check(b.Context(), request); verdict.Reason != gate.Reason(token.CheckSignature) {
			b.Fatal(verdict.Reason)
		}
	}
}

// The number of rules must not show.
func BenchmarkRules(b *testing.B) {
	for _, count := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			f := newFixture(b)
			g := f.gate(func(c *gate.Config) {
				for i := range count {
					c.Rules = append(c.Rules, gate.Rule{Pattern: fmt.Sprintf("/api/part%d/{id}", i), Scopes: token.Scopes{"read"}})
				}
			})
			request := get(fmt.Sprintf("/api/part%d/17", count/2), bearer(f.sign(f.claims("read")))...)
			b.ReportAllocs()
			for b.Loop() {
				if verdict := g.Check(b.Context(), request); !verdict.Allowed {
					b.Fatal(verdict.Reason)
				}
			}
		})
	}
}
