package proof

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Horizon is how far back it is known which proofs were used. The mark of a
// proof ends when the proof is too old by the configuration that noted it. Where
// another lets proofs be older, those that may have been noted for a shorter time
// stay bound to that. There is one for the process, so that a reload does not
// forget it. It is safe for concurrent use; the zero value is ready.
type Horizon struct {
	mu    sync.Mutex
	ages  []time.Duration // of the configurations that note proofs now
	known atomic.Pointer[known]
}

// known is what the ages of proofs are bound to.
type known struct {
	now   time.Duration // the shortest age of the configurations in use; 0: there is none
	until time.Time     // proofs made until then may have been noted for
	age   time.Duration // this time
}

// Keep notes that marks are kept for proofs of an age from now on, and until
// the returned function is called, once.
func (h *Horizon) Keep(age time.Duration) (release func(now time.Time)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ages = append(h.ages, age)
	next := h.load()
	next.now = slices.Min(h.ages)
	h.known.Store(&next)
	return func(now time.Time) { h.release(age, now) }
}

// release bounds the proofs of before. One that was used may bear a time that is
// ahead of ours.
func (h *Horizon) release(age time.Duration, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.Index(h.ages, age)
	h.ages = slices.Delete(h.ages, i, i+1)
	next := h.load()
	if len(h.ages) == 0 {
		next.now = 0
	} else if next.now = slices.Min(h.ages); next.now <= age {
		h.known.Store(&next)
		return
	}
	if longest := max(age, next.now); now.Before(next.until.Add(longest + time.Second)) {
		age = min(age, next.age)
	}
	next.until, next.age = now.Add(Skew), age
	h.known.Store(&next)
}

func (h *Horizon) load() known {
	if former := h.known.Load(); former != nil {
		return *former
	}
	return known{}
}

// ageOf is how old a proof that was made then may be, where most is allowed.
func (h *Horizon) ageOf(made time.Time, most time.Duration) time.Duration {
	if h == nil {
		return most
	}
	known := h.load()
	if known.now > 0 {
		most = min(most, known.now)
	}
	if !made.After(known.until) {
		most = min(most, known.age)
	}
	return most
}
