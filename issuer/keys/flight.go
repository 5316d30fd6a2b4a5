package keys

import (
	"fmt"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// flight is one fetch, from the moment at which it is scheduled. However many
// wait for it, it holds nothing of theirs: a stranger who comes and goes leaves
// nothing behind (in a singleflight.Group it would be a channel each time).
type flight struct {
	number uint64 // they are counted from 1
	began  bool   // guarded by Remote.mu
	done   chan struct{}
	err    error // set before done is closed
}

// seek looks once more, and joins a fetch where that is in vain; late says that
// it began before. Both happen under the lock under which a fetch ends, so that
// nobody waits for the fetch after the one that has just brought the key.
func (r *Remote) seek(kid string, alg token.Algorithm) (
	keys []token.VerificationKey, known bool, joined *flight, late bool,
) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if keys, known = r.look(kid, alg); known {
		return keys, known, nil, false
	}
	joined = r.join()
	return nil, false, joined, joined.began
}

// join returns the fetch that is under way or scheduled, else it schedules one.
// The lock must be held.
func (r *Remote) join() *flight {
	if r.flight == nil {
		r.flights++
		r.flight = &flight{number: r.flights, done: make(chan struct{})}
		// A clock that was put back must not make anyone wait for longer.
		pause := min(r.next-r.elapsed(), r.interval)
		go r.fly(r.flight, pause)
	}
	return r.flight
}

// refreshIfOld has a set fetched that has got old; nobody waits for it.
func (r *Remote) refreshIfOld() {
	if int64(r.elapsed()) < r.refreshAt.Load() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.elapsed()
	if int64(now) < r.refreshAt.Load() {
		return // somebody else was faster
	}
	r.refreshAt.Store(int64(now + r.interval))
	r.join()
}

func (r *Remote) fly(f *flight, pause time.Duration) {
	defer r.land(f)
	time.Sleep(pause)
	began := r.begin(f)
	f.err = guarded(func() error { return r.renew(began) })
	if f.err != nil {
		_ = guarded(func() error { r.report(f.err); return nil })
	}
}

// begin notes that the fetch begins now: intervals count from here. Where it
// fails, a set that is not old yet does not become so.
func (r *Remote) begin(f *flight) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.began = true
	now := r.elapsed()
	r.next = now + r.interval
	r.refreshAt.Store(max(r.refreshAt.Load(), int64(r.next)))
	return now
}

func (r *Remote) land(f *flight) {
	r.mu.Lock()
	r.flight = nil
	r.mu.Unlock()
	close(f.done)
}

// renew fetches the set and takes it over.
func (r *Remote) renew(began time.Duration) error {
	set, err := r.fetch()
	if err != nil {
		return err
	}
	r.refreshAt.Store(int64(began + max(maxAge, r.interval)))
	before := r.current.Load()
	if before.set == nil || before.set.digest != set.digest {
		r.current.Store(&edition{set: set, generation: before.generation + 1})
	}
	return nil
}

// guarded makes a panic an error: a bug in reading what a stranger's server
// sent must not end the process.
func guarded(work func() error) (err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("keys of others: panic: %v", caught)
		}
	}()
	return work()
}
