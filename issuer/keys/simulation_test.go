package keys

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// world is a few instances on one store, and what its clients hold.
type world struct {
	t         *testing.T
	random    *rand.Rand
	clock     clock
	docs      store.Documents
	instances []*instance
	ahead     map[string]time.Duration // kid -> PublishAhead under which it was made
	seen      map[string]time.Time     // kid -> when it was first in a key set
	hurried   map[string]bool          // kids that sign sooner: the first, and those that follow a revoked one
	revoked   map[string]bool          // by kid
	tokens    []issued
}

type instance struct {
	ring   *Ring
	now    func() time.Time // may differ from the world's clock
	config Config

	generation uint64 // of the key set that was looked at last
}

type issued struct {
	kid     string
	expires time.Time
}

func newWorld(t *testing.T, seed uint64, instances int, skew time.Duration) *world {
	w := &world{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), docs: store.NewMemory(),
		ahead: make(map[string]time.Duration), seen: make(map[string]time.Time),
		hurried: make(map[string]bool), revoked: make(map[string]bool),
	}
	for range instances {
		now := w.clock.now
		if skew > 0 {
			now = w.clock.after(time.Duration(w.random.Int64N(int64(skew))))
		}
		w.instances = append(w.instances, &instance{ring: NewRing(w.docs, now), now: now, config: w.config()})
	}
	return w
}

func (w *world) config() Config {
	pick := func(durations ...time.Duration) time.Duration { return durations[w.random.IntN(len(durations))] }
	algorithms := []token.Algorithm{token.ES256, token.EdDSA} // the quick ones
	return Config{
		Algorithm:       algorithms[w.random.IntN(len(algorithms))],
		RotateEvery:     pick(0, 6*time.Hour, 7*day, 30*day, 90*day),
		PublishAhead:    pick(time.Hour, day, 3*day, 10*day),
		LongestLifetime: pick(time.Minute, time.Hour, day, 10*day),
	}
}

func (w *world) maintain(i *instance) { w.note(i, maintain(w.t, i.ring, i.config)) }

// note remembers what the instance has made, and what it publishes.
func (w *world) note(i *instance, changes Changes) {
	for _, kid := range changes.Made {
		if len(w.ahead) == 0 {
			w.hurried[kid] = true
		}
		w.ahead[kid] = i.config.PublishAhead
	}
	if i.ring.Generation() == i.generation {
		return
	}
	i.generation = i.ring.Generation()
	for _, kid := range published(w.t, i.ring) {
		if _, known := w.seen[kid]; !known {
			w.seen[kid] = w.clock.now()
		}
	}
}

// rotate has one instance make the next key. Another one that asks for it too,
// though it has seen nothing of that, gets the same.
func (w *world) rotate(i, other *instance) {
	made := 0
	var kids []string
	for _, each := range []*instance{i, other} {
		next, changes, err := each.ring.Rotate(w.t.Context(), each.config)
		if err != nil {
			w.t.Fatal(err)
		}
		w.note(each, changes)
		made += len(changes.Made)
		kids = append(kids, next.ID)
	}
	if made > 1 || kids[0] != kids[1] {
		w.t.Fatalf("%d keys were made, and %v answered", made, kids)
	}
}

// revoke has one instance revoke any key. Another one that has seen nothing of that
// does its work, and brings nothing back.
func (w *world) revoke(i, other *instance) {
	w.maintain(i)
	list := i.ring.List()
	kid := list[w.random.IntN(len(list))].ID
	changes, err := i.ring.Revoke(w.t.Context(), kid, i.config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.note(i, changes)
	w.revoked[kid], w.hurried[signing(w.t, i.ring)] = true, true
	w.tokens = slices.DeleteFunc(w.tokens, func(token issued) bool { return token.kid == kid })
	if w.random.IntN(2) == 0 {
		w.rotate(other, i)
	}
	for _, each := range w.instances {
		w.maintain(each)
	}
}

// byHand does now and then what operators do.
func (w *world) byHand() {
	i, other := w.instances[w.random.IntN(len(w.instances))], w.instances[w.random.IntN(len(w.instances))]
	switch w.random.IntN(40) {
	case 0, 1:
		w.rotate(i, other)
	case 2:
		w.revoke(i, other)
	}
}

// issue makes a token as long-lived as the instance's configuration allows.
func (w *world) issue(i *instance) string {
	kid := signing(w.t, i.ring)
	w.tokens = append(w.tokens, issued{kid: kid, expires: i.now().Add(i.config.LongestLifetime)})
	return kid
}

// check asks every instance to verify every token that has not expired by its
// clock, leeway included.
func (w *world) check() {
	for _, i := range w.instances {
		for _, key := range i.ring.List() {
			if w.revoked[key.ID] {
				w.t.Fatalf("after %v: a revoked key is back", i.now().Sub(start))
			}
		}
	}
	alive := w.tokens[:0]
	for _, issued := range w.tokens {
		end := issued.expires.Add(token.Leeway)
		for _, i := range w.instances {
			if _, ok := i.ring.Key(issued.kid); !ok && i.now().Before(end) {
				w.t.Fatalf("after %v: a token that lives until %v is refused: its key is gone",
					i.now().Sub(start), issued.expires.Sub(start))
			}
		}
		if w.clock.now().Before(end) {
			alive = append(alive, issued)
		}
	}
	w.tokens = alive
}

// One instance, any sequence of configurations, pauses and what is done by hand,
// over years: a token verifies as long as it lives and its key was not revoked,
// and no key signs that was published for less than PublishAhead, unless it follows
// a revoked one.
func TestSimulationOfOneInstance(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, seed, 1, 0)
			only := w.instances[0]
			for w.clock.now().Before(start.AddDate(4, 0, 0)) {
				if w.random.IntN(20) == 0 {
					only.config = w.config()
				}
				w.maintain(only)
				w.byHand()
				w.issueAndCheckAge(only)
				w.check()
				w.pause()
				w.issueAndCheckAge(only) // before the next maintenance
				w.check()
			}
			if len(w.ahead) < 5 {
				t.Errorf("%d keys in four years: the simulation does not simulate", len(w.ahead))
			}
		})
	}
}

func (w *world) issueAndCheckAge(i *instance) {
	kid := w.issue(i)
	if age := w.clock.now().Sub(w.seen[kid]); !w.hurried[kid] && age < w.ahead[kid] {
		w.t.Fatalf("a key signs %v after it was first seen, expected %v", age, w.ahead[kid])
	}
}

// pause moves the clock by anything between a nanosecond and half a year, often
// to just before or after a moment at which something happens.
func (w *world) pause() {
	longest := []time.Duration{time.Second, time.Hour, day, 5 * day, 40 * day}
	if w.random.IntN(3) > 0 {
		w.clock.move(1 + time.Duration(w.random.Int64N(int64(longest[w.random.IntN(len(longest))]))))
		return
	}
	list := w.instances[0].ring.List()
	edge := list[len(list)-1].SignsFrom.Add(time.Duration(w.random.IntN(3) - 1))
	if edge.After(w.clock.now()) {
		w.clock.moveTo(edge)
	} else {
		w.clock.move(1)
	}
}

// Several instances with clocks that differ by up to the leeway, each maintained
// every minute or so, with other configurations one beside the other.
func TestSimulationOfSeveralInstances(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, seed, 3, token.Leeway)
			for range 200 {
				if w.random.IntN(50) == 0 {
					w.instances[w.random.IntN(3)].config = w.config()
				}
				for _, i := range w.instances {
					w.maintain(i)
					w.issue(i)
				}
				w.byHand()
				w.clock.move(time.Duration(w.random.Int64N(int64(time.Minute))))
				for _, i := range w.instances {
					w.issue(i)
				}
				w.check()
				if w.random.IntN(10) == 0 {
					w.quietDays()
				}
			}
		})
	}
}

// quietDays pass with maintenance and without requests, a minute before each
// event at the most.
func (w *world) quietDays() {
	until := w.clock.now().Add(time.Duration(w.random.Int64N(int64(10 * day))))
	for w.clock.now().Before(until) {
		for _, i := range w.instances {
			w.maintain(i)
		}
		w.clock.move(6 * time.Hour)
		for _, i := range w.instances {
			w.maintain(i)
		}
	}
	w.check()
}
