package keys

import (
	"sync"
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

// A fetch that was under way when the kid came up may have missed it: then the
// request waits for the next one, and is refused only after that.
func TestRemoteLateForAFetch(t *testing.T) {
	t.Parallel()
	const takes = 2 * time.Second
	for name, test := range map[string]struct {
		first    bool // it was the first fetch
		kid      string
		after, c time.Duration
	}{
		"known, first fetch": {true, "a", time.Second, takes},
		"new, first fetch":   {true, "b", time.Second + takes, defaultInterval},
		"known":              {false, "a", 0, defaultInterval - time.Second + takes},
		"new":                {false, "b", defaultInterval - time.Second + takes, defaultInterval},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := &host{}
				h.publish("a")
				r := newRemote(t, h, nil)
				if !test.first {
					expectFind(t, r, "a", 1, 0)
					time.Sleep(defaultInterval)
				}
				h.slow(takes)
				go func() { _, _ = r.Find(t.Context(), "x", token.ES256) }()
				time.Sleep(time.Second)
				h.publish("a", "b")
				expectFind(t, r, test.kid, 1, test.after)
				expectFind(t, r, "c", 0, test.c)
				h.checkPace(t, defaultInterval, 1)
			})
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
