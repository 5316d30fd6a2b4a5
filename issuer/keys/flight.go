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
	sought bool   // it is for the sake of an unknown kid; guarded by Remote.mu

	first   bool // it brought the first set of all
	changed bool // it brought other keys than those known before

	done chan struct{}
	err  error // set before done is closed
}

// seek looks once more, and joins a fetch where that is in vain; late says that
// it began before. None is joined where the kid is not worth a wait. All happens
// under the lock under which a fetch ends, so that nobody waits for the fetch
// after the one that has just brought the key.
func (r *Remote) seek(kid string, alg token.Algorithm) (
	keys []token.VerificationKey, known bool, joined *flight, late bool,
) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if keys, known = r.look(kid, alg); known || r.impatient() {
		return keys, known, nil, false
	}
	joined = r.join()
	if !joined.began {
		joined.sought = true
	}
	return nil, false, joined, joined.began
}

// impatient tells whether an unknown kid is not worth a wait: the last fetches
// for the like were in vain, and the next may not begin yet. Who makes up one
// kid after the other is refused at once from then on, and who has really got a
// new key is served as soon as the interval has passed. Without any set every
// request is worth it. The lock must be held.
func (r *Remote) impatient() bool {
	now := r.elapsed()
	pause := r.next - now // more than an interval: the clock was put back
	return r.flight == nil && pause > 0 && pause <= r.interval &&
		r.vain(now) >= patience && r.current.Load().set != nil
}

// vain is how many fetches for unknown kids were in vain, one after the other.
// They are forgotten after a quiet while, or when the clock was put back beyond
// them. The lock must be held.
func (r *Remote) vain(now time.Duration) int {
	if left := r.forgetAt - now; left <= 0 || left > r.interval+maxAge {
		return 0
	}
	return r.inVain
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
	f.err = guarded(func() error { return r.renew(f, began) })
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
	r.learn(f)
	r.flight = nil
	r.mu.Unlock()
	close(f.done)
}

// learn draws the conclusions for unknown kids from a fetch that has ended. One
// that failed was in vain like one that brought the same keys: the server is not
// to be asked more often for it, and nobody to wait for longer. The lock must be
// held.
func (r *Remote) learn(f *flight) {
	now := r.elapsed()
	switch {
	case f.changed:
		r.inVain = 0
	case f.sought:
		r.inVain = r.vain(now) + 1
		r.forgetAt = now + r.interval + maxAge
	}
	if f.first {
		// It was for the sake of any key at all: the next kid may be newer, and
		// its request is not to wait because the process has just started.
		r.next -= r.interval
	}
}

// renew fetches the set and takes it over.
func (r *Remote) renew(f *flight, began time.Duration) error {
	set, err := r.fetch()
	if err != nil {
		return err
	}
	r.refreshAt.Store(int64(began + max(maxAge, r.interval)))
	before := r.current.Load()
	f.first = before.set == nil
	f.changed = f.first || before.set.digest != set.digest
	if f.changed {
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
