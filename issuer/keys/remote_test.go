package keys

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

func TestRemoteFetchesWhenNeeded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a", "b")
		h.slow(time.Second)
		r := newRemote(t, h, nil)
		generation := r.Generation()
		if synctest.Wait(); h.fetches() != 0 || generation != 0 {
			t.Errorf("before: %d fetches, generation %d", h.fetches(), generation)
		}
		expectFind(t, r, "a", 1, time.Second)
		expectFind(t, r, "b", 1, 0)
		expectFind(t, r, "", 2, 0)
		if h.fetches() != 1 || r.Generation() != 1 {
			t.Errorf("after: %d fetches, generation %d", h.fetches(), r.Generation())
		}
	})
}

// However many requests come at the start, one asks and all are served.
func TestRemoteFirstFetchIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a")
		h.slow(time.Second)
		r := newRemote(t, h, nil)
		var group sync.WaitGroup
		for range 500 {
			group.Go(func() { expectFind(t, r, "a", 1, time.Second) })
		}
		group.Wait()
		if h.fetches() != 1 {
			t.Errorf("%d fetches", h.fetches())
		}
	})
}

// A thousand made-up kids, at once and one after the other, cost one fetch per
// interval; those for whom there is no room are refused at once; known kids go
// on; and a really new kid is accepted by its first request.
func TestRemoteMadeUpKids(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a")
		r := newRemote(t, h, nil)
		expectFind(t, r, "a", 1, 0)

		var waited, refused atomic.Int32
		var group sync.WaitGroup
		for i := range 1000 {
			group.Go(func() {
				begin := time.Now()
				found, err := r.Find(t.Context(), fmt.Sprint("made-up-", i), token.ES256)
				switch took := time.Since(begin); {
				case errors.Is(err, ErrBusy) && took == 0:
					refused.Add(1)
				case err == nil && found == nil && took == defaultInterval:
					waited.Add(1)
				default:
					t.Errorf("%v, %v after %v", found, err, took)
				}
			})
		}
		synctest.Wait()
		expectFind(t, r, "a", 1, 0)
		group.Wait()
		if waited.Load() != maxWaiting || refused.Load() != 1000-maxWaiting || h.fetches() != 2 {
			t.Errorf("%d waited, %d were refused, %d fetches", waited.Load(), refused.Load(), h.fetches())
		}

		for i := range 20 {
			expectFind(t, r, fmt.Sprint("another-", i), 0, defaultInterval)
		}
		time.Sleep(time.Second)
		h.publish("a", "new")
		expectFind(t, r, "new", 1, defaultInterval-time.Second)
		if h.checkPace(t, defaultInterval); h.fetches() != 23 || r.Generation() != 2 {
			t.Errorf("%d fetches, generation %d", h.fetches(), r.Generation())
		}
		if r.waiting.Load() != 0 {
			t.Errorf("%d still wait", r.waiting.Load())
		}
	})
}

// After a quiet interval nobody waits.
func TestRemoteNewKidAfterAnInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a")
		r := newRemote(t, h, nil)
		expectFind(t, r, "a", 1, 0)
		time.Sleep(defaultInterval)
		h.publish("new")
		expectFind(t, r, "new", 1, 0)
		expectFind(t, r, "a", 0, defaultInterval) // its owner has taken it out
	})
}

// A fetch that was under way when the kid came up may have missed it: then the
// request waits for the next one, and is refused only after that.
func TestRemoteLateForAFetch(t *testing.T) {
	t.Parallel()
	for _, known := range []string{"a", "b"} {
		synctest.Test(t, func(t *testing.T) {
			h := &host{}
			h.publish("a")
			h.slow(2 * time.Second)
			r := newRemote(t, h, nil)
			go func() { _, _ = r.Find(t.Context(), "x", token.ES256) }()
			time.Sleep(time.Second)
			h.publish("a", "b")
			after := map[string]time.Duration{"a": time.Second, "b": defaultInterval - time.Second + 2*time.Second}[known]
			expectFind(t, r, known, 1, after)
			expectFind(t, r, "c", 0, map[string]time.Duration{"a": defaultInterval, "b": defaultInterval}[known])
			h.checkPace(t, defaultInterval)
		})
	}
}

// An old set serves while a new one is fetched; a key that was taken out is
// gone after that.
func TestRemoteRefreshesInTheBackground(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a")
		r := newRemote(t, h, nil)
		expectFind(t, r, "a", 1, 0)
		h.publish("b")
		h.slow(time.Second)
		time.Sleep(maxAge - 1)
		expectFind(t, r, "a", 1, 0)
		if synctest.Wait(); h.fetches() != 1 {
			t.Errorf("%d fetches before it is old", h.fetches())
		}
		time.Sleep(time.Nanosecond)
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() { expectFind(t, r, "a", 1, 0) })
		}
		group.Wait()
		if synctest.Wait(); h.fetches() != 2 {
			t.Errorf("%d fetches when it is old", h.fetches())
		}
		time.Sleep(time.Second)
		synctest.Wait()
		expectFind(t, r, "b", 1, 0)
		expectFind(t, r, "a", 0, defaultInterval)
	})
}

// Where all tokens that come are remembered, nobody looks for keys: a key that
// was taken out is noticed all the same.
func TestRemoteGenerationIsUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a")
		r := newRemote(t, h, nil)
		expectFind(t, r, "a", 1, 0)
		h.publish("b")
		time.Sleep(maxAge)
		if before := r.Generation(); before != 1 {
			t.Errorf("generation %d", before)
		}
		if synctest.Wait(); r.Generation() != 2 || h.fetches() != 2 {
			t.Errorf("generation %d, %d fetches", r.Generation(), h.fetches())
		}
	})
}

// The generation changes with the keys, not with the text.
func TestRemoteGeneration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		r := newRemote(t, h, nil)
		for _, step := range []struct {
			ids      []string
			expected uint64
		}{
			{[]string{"a", "b"}, 1}, {[]string{"b", "a"}, 1}, {[]string{"a"}, 2}, {[]string{"a"}, 2}, {[]string{"a", "b"}, 3},
		} {
			h.publish(step.ids...)
			expectFind(t, r, "made-up", 0, 0)
			if r.Generation() != step.expected {
				t.Errorf("%q: generation %d, expected %d", step.ids, r.Generation(), step.expected)
			}
			time.Sleep(defaultInterval)
		}
	})
}

// What no newer set can change is answered at once.
func TestRemoteAsksForNothingInVain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.answer(setOf(
			jwk(token.ES256).with("kid", "a"), jwk(token.ES384).with("kid", "weak").with("use", "enc"), jwk(token.EdDSA),
		), nil)
		r := newRemote(t, h, nil)
		expectFind(t, r, "a", 1, 0)
		for _, test := range []struct {
			kid string
			alg token.Algorithm
		}{{"a", token.ES384}, {"weak", token.ES384}, {"x", "HS256"}, {"x", "none"}, {"x", ""}, {"", "ES512"}} {
			if found, err := r.Find(t.Context(), test.kid, test.alg); found != nil || err != nil {
				t.Errorf("%v: %v, %v", test, found, err)
			}
		}
		for _, alg := range []token.Algorithm{token.EdDSA, "Ed25519"} { // a key without kid
			if found, err := r.Find(t.Context(), "x", alg); len(found) != 1 || err != nil {
				t.Errorf("%s: %v, %v", alg, found, err)
			}
		}
		if h.fetches() != 1 {
			t.Errorf("%d fetches", h.fetches())
		}
	})
}
