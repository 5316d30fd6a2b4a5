package proof

import (
	"sync"
	"sync/atomic"
	"time"
)

// Horizon is how far back it is known which proofs were used. The mark of a
// proof ends when the proof is too old; where a later configuration lets proofs
// be older, those whose marks have ended by then may have been used. There is
// one for the process, so that a reload does not forget it. It is safe for
// concurrent use; the zero value is ready.
type Horizon struct {
	mu    sync.Mutex
	age   time.Duration // for which marks are kept now; 0: none were made yet
	since atomic.Int64  // Unix seconds: proofs made until then may have been used
}

// Keep notes that marks are kept for proofs of an age from now on.
func (h *Horizon) Keep(age time.Duration, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.age > 0 && age > h.age {
		h.since.Store(max(h.since.Load(), now.Add(-h.age-time.Second).Unix()))
	}
	h.age = age
}

// before tells whether a proof was made at a time of which uses are forgotten.
func (h *Horizon) before(made time.Time) bool { return h != nil && made.Unix() <= h.since.Load() }
