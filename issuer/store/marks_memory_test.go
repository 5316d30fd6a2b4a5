package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/storetest"
)

// clock stands still unless it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_800_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestMemoryMarks(t *testing.T) {
	t.Parallel()
	for _, places := range []int{400, 0} { // one shard, and many
		t.Run(fmt.Sprint(places), func(t *testing.T) {
			t.Parallel()
			storetest.RunMarks(t, func(*testing.T) storetest.Place {
				c := newClock()
				return storetest.Place{Marks: store.NewMemoryMarks(places, c.Now), Now: c.Now, Pass: c.Pass}
			})
		})
	}
}

// markOf is the use of an owner's ID that lapses after the time.
func markOf(c *clock, owner, id string, life time.Duration) store.Mark {
	now := c.Now()
	return store.Mark{Kind: store.KindProof, Owner: owner, ID: id, Made: now, Until: now.Add(life)}
}

func expectMark(t *testing.T, marks store.Marks, mark store.Mark, expected error) {
	t.Helper()
	if err := marks.Mark(t.Context(), mark); !errors.Is(err, expected) {
		t.Errorf("Mark %q of %q: %v, expected %v", mark.ID, mark.Owner, err, expected)
	}
}

// A flood does not push out what protects others.
func TestFullMemoryForgetsNothing(t *testing.T) {
	t.Parallel()
	c := newClock()
	marks := store.NewMemoryMarks(100, c.Now)
	use := func(number int, life time.Duration) store.Mark {
		return markOf(c, fmt.Sprint("owner ", number%10), fmt.Sprint(number), life)
	}
	for number := range 100 {
		expectMark(t, marks, use(number, time.Minute+time.Duration(number)*time.Second), nil)
	}
	for number := 100; number < 200; number++ {
		expectMark(t, marks, use(number, time.Hour), store.ErrFull)
	}
	for number := range 100 {
		expectMark(t, marks, use(number, time.Hour), store.ErrUsed)
	}
	// One lapses: there is one place.
	c.Pass(time.Minute)
	expectMark(t, marks, use(100, time.Hour), nil)
	expectMark(t, marks, use(101, time.Hour), store.ErrFull)
	if number := marks.Len(); number != 100 {
		t.Errorf("%d marks are held, expected 100", number)
	}
}

func TestOneOwnerCannotLockOthersOut(t *testing.T) {
	t.Parallel()
	c := newClock()
	marks := store.NewMemoryMarks(100, c.Now)
	for number := range 25 {
		expectMark(t, marks, markOf(c, "greedy", fmt.Sprint(number), time.Minute), nil)
	}
	expectMark(t, marks, markOf(c, "greedy", "one more", time.Minute), store.ErrFull)
	expectMark(t, marks, markOf(c, "greedy", "0", time.Minute), store.ErrUsed)
	expectMark(t, marks, markOf(c, "modest", "one", time.Minute), nil)
	// Another kind has owners of its own.
	assertion := markOf(c, "greedy", "one more", time.Minute)
	assertion.Kind = store.KindAssertion
	expectMark(t, marks, assertion, nil)
	// Its share comes back with what lapses.
	c.Pass(time.Minute)
	for number := range 25 {
		expectMark(t, marks, markOf(c, "greedy", fmt.Sprint(number), time.Minute), nil)
	}
	expectMark(t, marks, markOf(c, "greedy", "one more", time.Minute), store.ErrFull)
}

// The parts of a large place fill evenly, whatever an attacker chooses.
func TestLargeMemoryFillsEvenly(t *testing.T) {
	t.Parallel()
	c := newClock()
	const places = 1 << 16
	marks := store.NewMemoryMarks(places, c.Now)
	ofGreedy, full := 0, false
	for number := 0; !full; number++ {
		full = errors.Is(marks.Mark(t.Context(), markOf(c, fmt.Sprint("owner ", number), "id", time.Hour)), store.ErrFull)
		if marks.Mark(t.Context(), markOf(c, "greedy", fmt.Sprint(number), time.Hour)) == nil {
			ofGreedy++
		}
	}
	// Of 64 parts, which chance fills, the first is full when they hold 94 per cent,
	// give or take 2: below 85 it is no chance.
	if held := marks.Len(); held < places*85/100 || held > places || ofGreedy < places/4*85/100 || ofGreedy > places/4 {
		t.Errorf("full with %d of %d, one owner with %d", held, places, ofGreedy)
	}
}

// A clock that is set back does not let pass what was forgotten.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	c := newClock()
	marks := store.NewMemoryMarks(100, c.Now)
	used := markOf(c, "a", "used", time.Minute)
	expectMark(t, marks, used, nil)
	c.Pass(time.Hour)
	expectMark(t, marks, markOf(c, "a", "makes the place look at the time", time.Minute), nil)
	c.Pass(-time.Hour)
	expectMark(t, marks, used, store.ErrStale)
	expectMark(t, marks, markOf(c, "a", "other", 2*time.Hour), nil)
}

// Against a model that keeps everything: random lives, pauses and floods.
func TestMemoryMarksAgainstModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		c := newClock()
		marks := store.NewMemoryMarks(64, c.Now)
		model := make(map[string]time.Time) // what is live, and until when
		for step := range 3000 {
			if random.IntN(3) == 0 {
				pauses := []time.Duration{time.Second, 300 * time.Millisecond, 7 * time.Second, time.Hour}
				c.Pass(pauses[random.IntN(4)&random.IntN(4)])
			}
			owner, id := fmt.Sprint(random.IntN(8)), fmt.Sprint(random.IntN(40))
			mark := markOf(c, owner, id, time.Duration(1+random.IntN(40))*time.Second)
			expected := expectedOf(model, owner, id, c.Now())
			if err := marks.Mark(t.Context(), mark); !errors.Is(err, expected) {
				t.Fatalf("seed %d, step %d: %v, expected %v", seed, step, err, expected)
			}
			if expected == nil {
				model[owner+" "+id] = roundUp(mark.Until)
			}
			if marks.Len() != len(model) {
				t.Fatalf("seed %d, step %d: %d marks, expected %d", seed, step, marks.Len(), len(model))
			}
		}
	}
}

func roundUp(t time.Time) time.Time {
	if rest := t.Truncate(time.Second); rest.Before(t) {
		return rest.Add(time.Second)
	}
	return t
}

func expectedOf(model map[string]time.Time, owner, id string, now time.Time) error {
	ofOwner := 0
	for name, until := range model {
		if !until.After(now) {
			delete(model, name)
		} else if name[0] == owner[0] {
			ofOwner++
		}
	}
	switch _, used := model[owner+" "+id]; {
	case used:
		return store.ErrUsed
	case len(model) >= 64 || ofOwner >= 16:
		return store.ErrFull
	}
	return nil
}
