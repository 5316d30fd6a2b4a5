package gate_test

import (
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// What is remembered of a token outlives neither its time, its key, nor its
// client's state; and is remembered at all.
func TestRememberedTokens(t *testing.T) {
	t.Parallel()
	remembered := func(t *testing.T) (*fixture, *gate.Gate, *gate.Request) {
		f := newFixture(t)
		g, request := f.gate(), get("/", bearer(f.sign(f.claims()))...)
		for range 2 {
			if verdict := g.Check(t.Context(), request); !verdict.Allowed {
				t.Fatalf("refused: %+v", verdict)
			}
		}
		if f.keys.lookups.Load() != 1 || f.clients.asked.Load() != 1 {
			t.Fatalf("not remembered: %d key look-ups, %d client look-ups", f.keys.lookups.Load(), f.clients.asked.Load())
		}
		return f, g, request
	}
	refused := func(t *testing.T, g *gate.Gate, request *gate.Request, reason token.Check) {
		t.Helper()
		if verdict := g.Check(t.Context(), request); verdict.Allowed || verdict.Reason != gate.Reason(reason) {
			t.Fatalf("got %v %s", verdict.Allowed, verdict.Reason)
		}
	}
	t.Run("time", func(t *testing.T) {
		t.Parallel()
		f, g, request := remembered(t)
		f.pass(89 * time.Second)
		if verdict := g.Check(t.Context(), request); !verdict.Allowed {
			t.Fatal("refused within the leeway")
		}
		if got := f.config.Cache.Len(); got != 1 {
			t.Fatalf("%d tokens are remembered", got)
		}
		f.pass(time.Second)
		refused(t, g, request, token.CheckExpired)
		if got := f.config.Cache.Len(); got != 0 {
			t.Errorf("%d tokens are remembered that have expired", got)
		}
		refused(t, g, request, token.CheckExpired) // looked at anew, it is forgotten again
		if got := f.config.Cache.Len(); got != 0 {
			t.Errorf("%d tokens are remembered that came expired", got)
		}
	})
	t.Run("key", func(t *testing.T) {
		t.Parallel()
		f, g, request := remembered(t)
		f.keys.make(t, "k2", token.EdDSA)
		if verdict := g.Check(t.Context(), request); !verdict.Allowed {
			t.Fatal("refused after another key came")
		}
		f.keys.forget("k1")
		refused(t, g, request, token.CheckKey)
	})
	t.Run("client", func(t *testing.T) {
		t.Parallel()
		f, g, request := remembered(t)
		f.clients.refuse(token.CheckClient)
		refused(t, g, request, token.CheckClient)
		refused(t, g, request, token.CheckClient)
	})
	t.Run("another gate judges for itself", func(t *testing.T) {
		t.Parallel()
		f, _, request := remembered(t)
		other := f.gate(func(c *gate.Config) { c.Resource = "https://other.example" })
		refused(t, other, request, token.CheckAudience)
	})
}
