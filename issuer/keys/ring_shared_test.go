package keys

import (
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// A clock that is behind the one by which the first key was made signs too.
func TestClockBehindTheFirstKey(t *testing.T) {
	t.Parallel()
	clock := new(clock)
	docs := store.NewMemory()
	ahead, behind := NewRing(docs, clock.now), NewRing(docs, clock.after(-time.Minute))
	maintain(t, ahead, usual)
	maintain(t, behind, usual)
	if signing(t, ahead) != signing(t, behind) {
		t.Error("two instances sign with different keys")
	}
	if list := behind.List(); list[0].State != Active {
		t.Errorf("state %s, expected active", list[0].State)
	}
}

// Instances that start at once on one folder agree on one key.
func TestInstancesAgreeOnTheFirstKey(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var rings []*Ring
	for range 4 {
		docs := store.OverStorage(&certmagic.FileStorage{Path: folder}, store.Prefix("https://api.example.com"))
		rings = append(rings, NewRing(docs, new(clock).now))
	}
	made := make(chan int, len(rings))
	for _, ring := range rings {
		go func() {
			changes, err := ring.Maintain(t.Context(), usual)
			if err != nil {
				t.Error(err)
			}
			made <- len(changes.Made)
		}()
	}
	total := 0
	for range rings {
		total += <-made
	}
	if total != 1 {
		t.Errorf("%d keys were made, expected one", total)
	}
	for _, ring := range rings {
		if kids := published(t, ring); len(kids) != 1 || signing(t, ring) != signing(t, rings[0]) {
			t.Errorf("published %v, signing %s; expected one key that all agree on", kids, signing(t, ring))
		}
	}
}

// Requests go on while keys change (for the race detector).
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	clock := new(clock)
	docs := store.NewMemory()
	rings := []*Ring{NewRing(docs, clock.now), NewRing(docs, clock.now)}
	config := usual
	config.LongestLifetime = 365 * day // no key is forgotten between two lookups
	for _, ring := range rings {
		maintain(t, ring, config)
	}
	var group sync.WaitGroup
	for _, ring := range rings {
		group.Go(func() {
			for range 100 {
				clock.move(12 * time.Hour)
				maintain(t, ring, config)
			}
		})
		group.Go(func() {
			for range 1000 {
				if _, ok := ring.Key(signing(t, ring)); !ok {
					t.Error("a key signs that does not verify")
				}
				ring.List()
				ring.JWKS()
				ring.Generation()
			}
		})
	}
	group.Wait()
}
