package gate

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// What requests that a [Pace] does not favour may take.
const (
	// paceShare of the processors is theirs while others come.
	paceShare = 0.25
	// paceBurst is what may be taken at once, for each processor.
	paceBurst = 250 * time.Millisecond
	// paceOther is what reading, answering and logging a request takes beside the
	// verdict, on a busy machine.
	paceOther = 150 * time.Microsecond
	// paceVerdict bounds what a verdict is taken to cost: one that had to wait for
	// keys or for a processor took no more of it. A check of ES384 takes half of it.
	paceVerdict = time.Millisecond
	// paceHold is the longest that a request is held.
	paceHold = 250 * time.Millisecond
	// paceRecent is how long after one favoured request others are expected.
	paceRecent = 20 * time.Millisecond
)

// Pace keeps a flood from taking the processors away from callers that a gate
// knows: while such come, requests that are refused, and those with a token that
// is seen for the first time, have a quarter of the processors. Beyond it, each is
// held for up to 250 ms before its answer, or before it passes on. None is
// refused for it, and where nobody else comes, none is held.
//
// There is one for the process. It is safe for concurrent use; nil holds nothing.
type Pace struct {
	budget   *rate.Limiter // of microseconds
	began    time.Time
	favoured atomic.Int64 // when one came last, in nanoseconds since it began
}

// NewPace makes the pace for so many processors.
func NewPace(processors int) *Pace {
	budget := paceShare * float64(processors) * float64(time.Second/time.Microsecond)
	return &Pace{began: time.Now(), budget: rate.NewLimiter(rate.Limit(budget), max(1, processors)*int(paceBurst/time.Microsecond))}
}

// Delay returns how long a request is to be held, of which a gate thought at the
// moment now, after it had taken that long; mostly 0.
func (p *Pace) Delay(now time.Time, verdict *Verdict, took time.Duration) time.Duration {
	if p == nil {
		return 0
	}
	moment := now.Sub(p.began)
	ago := moment - time.Duration(p.favoured.Load())
	if verdict.Allowed && !verdict.Fresh {
		if ago > paceRecent/10 { // written rarely: all processors read it
			p.favoured.Store(int64(moment))
		}
		return 0
	}
	if ago > paceRecent {
		return 0
	}
	cost := min(took, paceVerdict) + paceOther
	turn := p.budget.ReserveN(now, int(cost/time.Microsecond))
	delay := turn.DelayFrom(now)
	if delay > paceHold {
		turn.CancelAt(now) // what is never paid for must not make others wait
		return paceHold
	}
	return delay
}

// Hold waits for that long, or until the client is gone.
func Hold(ctx context.Context, delay time.Duration) {
	if delay <= 0 {
		return
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
