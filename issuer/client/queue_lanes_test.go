package client

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// wide is the hash of the phrase with so many lanes.
func wide(t testing.TB, parameters string) Secret {
	return hashedSecret(t, strings.Replace(phraseArgon2id, "m=64,t=1,p=1", parameters, 1), time.Time{})
}

// Lanes keep a processor busy each: whatever hashes come, no more of them run
// at once than there are places.
func TestLanesAtOnce(t *testing.T) {
	t.Parallel()
	for parameters, attempts := range map[string]int32{"m=64,t=1,p=1": 3, "m=64,t=1,p=2": 1, "m=64,t=1,p=3": 1} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, Client{ID: "a", Secrets: []Secret{wide(t, parameters)}})
			f.Queue = newQueue(3, 20)
			var running, most atomic.Int32
			f.compute = func(h *hash, _ string) bool {
				if lanes := running.Add(int32(h.class.threads)); lanes > 3 {
					t.Errorf("%s: %d lanes at once", parameters, lanes)
				}
				most.Store(max(most.Load(), running.Load()/int32(h.class.threads)))
				<-time.After(time.Second)
				running.Add(-int32(h.class.threads))
				return false
			}
			results := make(chan error)
			for range 20 {
				go func() {
					_, err := f.try("a", wrong)
					results <- err
				}()
			}
			for range 20 {
				if err := <-results; reasonOf(err) != ReasonWrongSecret {
					t.Error(err)
				}
			}
			if most.Load() != attempts {
				t.Errorf("%s: %d attempts at once, expected %d", parameters, most.Load(), attempts)
			}
		})
	}
}

// A hash with more lanes than there are places runs, and is followed by a pause
// in which the processors that it took too many are paid back; on a machine with
// one processor, any hash is.
func TestPauseBehindHashes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		places, processors, lanes int
		pause                     time.Duration
	}{
		{1, 1, 1, 3 * time.Second}, // half of the only processor's time is for others
		{1, 1, 2, 3 * time.Second},
		{1, 2, 1, 0},
		{1, 2, 2, 3 * time.Second},
		{1, 2, 64, 3 * time.Second}, // there are no more processors
		{2, 4, 2, 0},
		{2, 4, 3, 1500 * time.Millisecond},
		{2, 4, 64, 3 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			q := newQueue(test.places, 1)
			q.processors, q.shared = test.processors, test.processors == 1
			taken := enter(t, q, test.lanes)
			<-time.After(3 * time.Second)
			taken.leave()
			left := time.Now()
			enter(t, q, test.places).leave()
			if waited := time.Since(left); waited != test.pause {
				t.Errorf("%+v: waited %s", test, waited)
			}
			synctest.Wait()
			if len(q.running) != 0 || len(q.taking) != 0 {
				t.Errorf("%+v: %d places are taken", test, len(q.running))
			}
		})
	}
}

// Who waits for several places holds none when it gives up, and those behind it
// go on; nobody overtakes it.
func TestWaitingForSeveralPlaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(2, 2)
		running := enter(t, q, 1)
		waiting, giveUp := context.WithCancel(t.Context())
		results := make(chan error)
		for _, lanes := range []int{2, 1} {
			go func() {
				_, err := q.enter(waiting, lanes, "")
				results <- err
			}()
			synctest.Wait()
		}
		if len(q.waiting) != 2 {
			t.Errorf("%d wait: one place is free, and somebody overtook", len(q.waiting))
		}
		giveUp()
		for range 2 {
			if err := <-results; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		running.leave()
		enter(t, q, 2).leave()
		if len(q.running) != 0 || len(q.waiting) != 0 || len(q.taking) != 0 {
			t.Error("a place was not given back")
		}
	})
}
