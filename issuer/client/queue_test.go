package client

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// So many run, so many wait, the rest is turned away at once; who gives up
// waiting makes room.
func TestQueueBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(2, 3)
		enter(t, q, 1)
		running := enter(t, q, 1)
		waiting, giveUp := context.WithCancel(t.Context())
		results := make(chan error, 3)
		for range 3 {
			go func() {
				_, err := q.enter(waiting, 1, "")
				results <- err
			}()
		}
		synctest.Wait()
		if _, err := q.enter(t.Context(), 1, ""); !errors.Is(err, ErrBusy) {
			t.Errorf("a queue that is full: %v", err)
		}
		running.leave()
		if err := <-results; err != nil {
			t.Errorf("after one left: %v", err)
		}
		giveUp()
		for range 2 {
			if err := <-results; !errors.Is(err, context.Canceled) || errors.Is(err, ErrInvalidClient) {
				t.Errorf("after giving up: %v", err)
			}
		}
		if len(q.waiting) != 0 || len(q.running) != 2 {
			t.Errorf("%d run, %d wait", len(q.running), len(q.waiting))
		}
	})
}

func enter(t *testing.T, q *Queue, lanes int) *turn {
	t.Helper()
	taken, err := q.enter(t.Context(), lanes, "")
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

func TestNewQueueRunsAtLeastOne(t *testing.T) {
	t.Parallel()
	if q := NewQueue(); cap(q.running) < 1 || cap(q.waiting) != maxWaiting {
		t.Errorf("%d run, %d wait", cap(q.running), cap(q.waiting))
	}
}

// While strangers keep all turns taken, a client that is remembered and one
// with a fast secret get in; other attempts are turned away, all alike.
func TestBusyQueueHurtsNoKnownClient(t *testing.T) {
	t.Parallel()
	f := newFixture(t,
		Client{ID: "known", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{})}},
		Client{ID: "fast", Secrets: []Secret{plainSecret(t, phrase, time.Time{})}},
	)
	if _, err := f.try("known", phrase); err != nil {
		t.Fatal(err)
	}
	f.Queue = newQueue(1, 0)
	enter(t, f.Queue, 1)
	f.take()
	for _, id := range []string{"known", "fast"} {
		if _, err := f.try(id, phrase); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	for _, id := range []string{"known", "fast", "nobody"} {
		if got, err := f.try(id, wrong); !errors.Is(err, ErrBusy) || errors.Is(err, ErrInvalidClient) || got != (Authenticated{}) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if err := f.Reject(t.Context(), Credentials{}, nil); !errors.Is(err, ErrBusy) {
		t.Errorf("no credentials: %v", err)
	}
	if spent := f.take(); len(spent) != 0 {
		t.Errorf("computed %v without a turn", spent)
	}
}

// A fleet that starts at once costs one computation: who waited for another
// request of the same client takes over its result.
func TestWaitingAttemptsShareTheResult(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Client{ID: "fleet", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{})}})
	f.Queue = newQueue(1, 3)
	started, release := make(chan struct{}), make(chan struct{})
	var computed atomic.Int32
	f.compute = func(h *hash, text string) bool {
		if computed.Add(1) == 1 {
			close(started)
		}
		<-release
		return h.compute(text)
	}
	var group sync.WaitGroup
	attempt := func() {
		if _, err := f.try("fleet", phrase); err != nil {
			t.Error(err)
		}
	}
	group.Go(attempt)
	<-started
	for range cap(f.Queue.waiting) {
		group.Go(attempt)
	}
	for len(f.Queue.waiting) < cap(f.Queue.waiting) {
		runtime.Gosched()
	}
	close(release)
	group.Wait()
	if computed.Load() != 1 {
		t.Errorf("%d computations", computed.Load())
	}
}

// Not more than the bound compute at once, whatever comes.
func TestAttemptsAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Client{ID: "fleet", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{})}})
	f.Queue = newQueue(2, 100)
	var running, most atomic.Int32
	f.compute = func(h *hash, text string) bool {
		now := running.Add(1)
		defer running.Add(-1)
		for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
		}
		return h.compute(text)
	}
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if _, err := f.try("fleet", phrase); err != nil {
				t.Error(err)
			}
			if _, err := f.try("fleet", wrong); reasonOf(err) != ReasonWrongSecret {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if most.Load() > 2 {
		t.Errorf("%d computed at once", most.Load())
	}
	if len(f.Queue.running) != 0 || len(f.Queue.waiting) != 0 {
		t.Error("somebody did not leave the queue")
	}
}

// A client that has gone away makes no further work, and a computation that
// panics gives its turn back.
func TestTurnsAreGivenBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Client{ID: "a", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{}), hashedSecret(t, phrasePBKDF2, time.Time{})}})
	ctx, cancel := context.WithCancel(t.Context())
	computed := 0
	f.compute = func(*hash, string) bool {
		computed++
		cancel()
		return false
	}
	_, err := f.Authenticate(ctx, Credentials{Method: SecretPost, ClientID: "a", Secret: wrong})
	if !errors.Is(err, context.Canceled) || reasonOf(err) != "" || computed != 1 {
		t.Errorf("%v after %d computations", err, computed)
	}
	f.compute = func(*hash, string) bool { panic("out of luck") }
	func() {
		defer func() { _ = recover() }()
		_, _ = f.try("a", wrong)
	}()
	if len(f.Queue.running) != 0 {
		t.Error("the turn was not given back")
	}
}

// Who comes from another address waits for one attempt of those who came
// before, and not for all of them.
func TestAddressesTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1, 20)
		busy, err := q.enter(t.Context(), 1, "192.0.2.1")
		if err != nil {
			t.Fatal(err)
		}
		var order []string // by whoever has the only turn
		var all sync.WaitGroup
		attempt := func(address string) {
			all.Go(func() {
				turn, err := q.enter(t.Context(), 1, address)
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, address)
				turn.leave()
			})
		}
		for range 10 {
			attempt("192.0.2.1")
		}
		synctest.Wait()
		attempt("192.0.2.2")
		synctest.Wait()
		busy.leave()
		all.Wait()
		if at := slices.Index(order, "192.0.2.2"); at < 0 || at > 2 {
			t.Errorf("turns: %q", order)
		}
	})
}

// One address cannot take all places among those who wait; all of an IPv6
// network that one host is given are one.
func TestPlacesOfAnAddress(t *testing.T) {
	t.Parallel()
	at := func(address string) netip.Prefix { return keyOf("", address).address }
	for name, of := range map[string]func(i int) string{
		"IPv4": func(int) string { return "192.0.2.1" },
		"IPv6": func(i int) string { return fmt.Sprintf("2001:db8::%x", i) },
	} {
		q := NewQueue()
		places := 0
		for ; ; places++ {
			if _, ok := q.wait(at(of(places))); !ok {
				break
			}
		}
		if _, ok := q.wait(at("192.0.2.2")); !ok || places != maxWaitingEach {
			t.Errorf("%s: %d places, another address: %v", name, places, ok)
		}
		for i := range places {
			q.waited(at(of(i)))
		}
		if q.waited(at("192.0.2.2")); len(q.from) != 0 || len(q.waiting) != 0 {
			t.Errorf("%s: %v and %d are left", name, q.from, len(q.waiting))
		}
	}
}
