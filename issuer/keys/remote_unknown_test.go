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

// A thousand made-up kids at once cost one fetch per interval; those for whom
// there is no room are refused at once; and known kids go on.
func TestRemoteMadeUpKids(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a")
		r := newRemote(t, h, nil)
		expectFind(t, r, "a", 1, 0)
		expectFind(t, r, "made-up", 0, 0) // the interval runs from here

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
		if waited.Load() != maxWaiting || refused.Load() != 1000-maxWaiting || h.fetches() != 3 {
			t.Errorf("%d waited, %d were refused, %d fetches", waited.Load(), refused.Load(), h.fetches())
		}

		for i := range 1000 { // nobody's patience is left
			group.Go(func() {
				begin := time.Now()
				found, err := r.Find(t.Context(), fmt.Sprint("another-", i), token.ES256)
				if took := time.Since(begin); found != nil || !errors.Is(err, ErrBusy) && !errors.Is(err, ErrTooSoon) || took != 0 {
					t.Errorf("%v, %v after %v", found, err, took)
				}
			})
		}
		group.Wait()
		if h.checkPace(t, defaultInterval, 1); h.fetches() != 3 || r.waiting.Load() != 0 {
			t.Errorf("%d fetches, %d still wait", h.fetches(), r.waiting.Load())
		}
	})
}

// A thousand made-up kids one after the other hold their sender for one interval
// in all, not for one each; what they cost is a fetch per interval; and a really
// new kid that comes when an interval has passed is accepted by its first request.
func TestRemoteMadeUpKidsInSequence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a")
		r := newRemote(t, h, nil)
		begin := time.Now()
		expectFind(t, r, "made-up", 0, 0)
		expectFind(t, r, "made-up", 0, 0)               // the first fetch of all was not for an unknown kid
		expectFind(t, r, "made-up", 0, defaultInterval) // the second in vain
		for i := range 1000 {
			expectTooSoon(t, r, fmt.Sprint("made-up-", i))
			expectFind(t, r, "a", 1, 0)
		}
		if took := time.Since(begin); took != defaultInterval || h.fetches() != 3 {
			t.Errorf("%v, %d fetches", took, h.fetches())
		}
		for i := range 4 {
			time.Sleep(defaultInterval - 1)
			expectTooSoon(t, r, "made-up")
			time.Sleep(time.Nanosecond)
			expectFind(t, r, "made-up", 0, 0) // an interval has passed
			if h.fetches() != 4+i {
				t.Errorf("%d fetches", h.fetches())
			}
		}

		h.publish("a", "new")
		expectTooSoon(t, r, "new")
		time.Sleep(defaultInterval)
		expectFind(t, r, "new", 1, 0)
		h.publish("a", "newer") // keys have changed: patience is back
		expectFind(t, r, "newer", 1, defaultInterval)
		expectFind(t, r, "made-up", 0, defaultInterval)
		expectFind(t, r, "made-up", 0, defaultInterval)
		expectTooSoon(t, r, "made-up")
		if h.checkPace(t, defaultInterval, 1); r.Generation() != 3 || r.waiting.Load() != 0 {
			t.Errorf("generation %d, %d still wait", r.Generation(), r.waiting.Load())
		}
	})
}

// A client that changed its keys while the first fetch was under way, or just
// after it, is served without waiting for the interval.
func TestRemoteNewKidAfterTheFirstFetch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a")
		r := newRemote(t, h, nil)
		expectFind(t, r, "a", 1, 0)
		h.publish("b")
		expectFind(t, r, "b", 1, 0)
		h.publish("c")
		expectFind(t, r, "c", 1, defaultInterval) // only once
		if h.checkPace(t, defaultInterval, 1); h.fetches() != 3 {
			t.Errorf("%d fetches", h.fetches())
		}
	})
}

// Mistakes of long ago do not cost a client its patience, also where a fetch in
// the background has just begun an interval; nor do those far apart.
func TestRemotePatienceComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a")
		r := newRemote(t, h, nil)
		expectFind(t, r, "made-up", 0, 0)
		expectFind(t, r, "made-up", 0, 0)
		expectFind(t, r, "made-up", 0, defaultInterval)

		time.Sleep(defaultInterval + maxAge - 1)
		expectFind(t, r, "a", 1, 0) // in the background
		synctest.Wait()
		expectTooSoon(t, r, "made-up")
		time.Sleep(time.Nanosecond)
		expectFind(t, r, "made-up", 0, defaultInterval-1)
		expectFind(t, r, "made-up", 0, defaultInterval)
		expectTooSoon(t, r, "made-up")

		for range 3 {
			time.Sleep(defaultInterval + maxAge)
			expectFind(t, r, "made-up", 0, 0)
		}
		h.publish("new")
		expectFind(t, r, "new", 1, defaultInterval)
		h.checkPace(t, defaultInterval, 1)
	})
}

// A kid that comes up while a fetch in the background is under way has not made
// that fetch: it costs nothing of the patience, which the kid needs itself.
func TestRemoteLateForAFetchInTheBackground(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a")
		r := newRemote(t, h, nil)
		expectFind(t, r, "a", 1, 0)
		expectFind(t, r, "made-up", 0, 0)
		time.Sleep(maxAge)
		h.slow(time.Second)
		expectFind(t, r, "a", 1, 0)
		time.Sleep(time.Second / 2)
		h.publish("a", "new")
		expectFind(t, r, "new", 1, defaultInterval+time.Second/2)
		h.checkPace(t, defaultInterval, 1)
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
		h.checkPace(t, defaultInterval, 1)
	})
}

// A fetch that somebody else's made-up kid has begun may bring the key: a request
// waits for its end, also where it would not wait for an interval.
func TestRemoteLateWithoutPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		h.publish("a")
		r := newRemote(t, h, nil)
		for range 2 + patience {
			expectFind(t, r, "made-up", 0, 0)
			time.Sleep(defaultInterval)
		}
		h.slow(2 * time.Second)
		for _, published := range []string{"a", "new"} {
			h.publish(published)
			go func() { _, _ = r.Find(t.Context(), "made-up", token.ES256) }()
			time.Sleep(time.Second)
			begin := time.Now()
			found, err := r.Find(t.Context(), "new", token.ES256)
			if (len(found) == 1) != (published == "new") || errors.Is(err, ErrTooSoon) != (published == "a") || time.Since(begin) != time.Second {
				t.Errorf("%v, %v after %v", found, err, time.Since(begin))
			}
			time.Sleep(defaultInterval)
		}
		h.checkPace(t, defaultInterval, 1)
	})
}
