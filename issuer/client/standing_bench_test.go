package client

import (
	"strconv"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// What a request costs more whose token a gate knows, when some other token was
// revoked since the last one: the gate asks again, and the signature stays judged.
func BenchmarkCheckToken(b *testing.B) {
	for _, count := range []int{0, 1000} {
		b.Run(strconv.Itoa(count), func(b *testing.B) {
			list := revocation.NewList(store.NewMemory(), time.Now)
			if err := list.Load(b.Context()); err != nil {
				b.Fatal(err)
			}
			for range count {
				if err := list.Revoke(b.Context(), token.NewID(0), time.Now().Unix()+3600); err != nil {
					b.Fatal(err)
				}
			}
			registry, err := NewRegistry([]Client{holder(false)})
			if err != nil {
				b.Fatal(err)
			}
			ledger := NewLedger(store.NewMemory())
			if err := ledger.Record(b.Context(), map[string]bool{"batch": true}); err != nil {
				b.Fatal(err)
			}
			standing := NewStanding(registry, ledger, list)
			claims := &token.Claims{ClientID: "batch", ID: token.NewID(0), Scope: token.Scopes{"read"}, Audience: []string{api}}
			b.ReportAllocs()
			for b.Loop() {
				if err := standing.CheckToken(claims); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
