package keys

import (
	"sync"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

func TestHeld(t *testing.T) {
	t.Parallel()
	first := parse(t, setOf(jwk(token.ES256).with("kid", "a")))
	second := parse(t, setOf(jwk(token.ES256).with("kid", "b")))
	held := NewHeld(first)
	expect := func(kid string, count int, generation uint64) {
		t.Helper()
		found, err := held.Find(t.Context(), kid, token.ES256)
		if err != nil || len(found) != count || held.Generation() != generation {
			t.Errorf("kid %q: %v, %v, generation %d", kid, found, err, held.Generation())
		}
	}
	expect("a", 1, 0)
	expect("b", 0, 0)
	held.Replace(second)
	expect("a", 0, 1)
	expect("b", 1, 1)
	held.Replace(nil)
	expect("b", 0, 2)
	if found, err := NewHeld(nil).Find(t.Context(), "", token.ES256); found != nil || err != nil {
		t.Errorf("of nothing: %v, %v", found, err)
	}
}

// Whoever sees a generation sees its set or a later one, and none is lost.
func TestHeldTogether(t *testing.T) {
	t.Parallel()
	sets := []*Set{
		parse(t, setOf(jwk(token.ES256).with("kid", "a"))),
		parse(t, setOf(jwk(token.ES256).with("kid", "b"))),
	}
	held := NewHeld(sets[0])
	const writers, times = 4, 200
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for i := range times {
				held.Replace(sets[i%2])
			}
		})
		group.Go(func() {
			for last := uint64(0); last < times; {
				generation := held.Generation()
				if generation < last {
					t.Error("the generation went back")
				}
				last = generation
				if found, _ := held.Find(t.Context(), "", token.ES256); len(found) != 1 {
					t.Errorf("found %v", found)
				}
			}
		})
	}
	group.Wait()
	if held.Generation() != writers*times {
		t.Errorf("generation %d", held.Generation())
	}
}
