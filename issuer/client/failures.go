package client

import (
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"
)

// FailureLimit is how many failed authentications a client may have from one
// address: Count at once, and after that one in each Per/Count.
type FailureLimit struct {
	Count int
	Per   time.Duration
}

// failureSize bounds what strangers can make a [Failures] hold, in entries of
// some 300 bytes. Those that are asked for most stay: whoever floods it with
// invented client_ids does not free the one that is being guessed at.
const failureSize = 50_000

// Failures counts failed authentications by client and address, and by address
// alone. Nobody can lock a client out from elsewhere, and one who guesses learns
// nothing of which clients exist: unknown ones are counted alike. There is one
// for the process and one for gates that only report, so that a reload forgets
// nothing; it is safe for concurrent use. Other instances may count along, see
// [Peers]; whoever asks, is answered from memory.
type Failures struct {
	now      func() time.Time
	peers    Peers // nil: nobody counts along
	limiters *otter.Cache[FailureKey, *rate.Limiter]
}

// Peers are other instances that count the same failures.
type Peers interface {
	// Tell has them charge a failure too, before long. It does not wait, and what
	// cannot be told is dropped: each instance has its own count to go by.
	Tell(key FailureKey, limit FailureLimit)
}

// NewFailures returns an empty count that takes the time from now. peers may be
// nil.
func NewFailures(now func() time.Time, peers Peers) *Failures {
	return &Failures{
		now: now, peers: peers, limiters: otter.Must(&otter.Options[FailureKey, *rate.Limiter]{MaximumSize: failureSize}),
	}
}

// addressFactor is how many times more failures an address may have, all
// clients together, than one client there: many clients may share an address.
const addressFactor = 50

// maxDebt bounds how many failures beyond the limit are charged. Attempts that
// come at the same moment pass the limit together; each of them is paid for
// later, so that sending them at once gains nothing.
const maxDebt = 128

// Blocked returns how long the client must wait before it may try again from
// the address; 0 where it need not. The right secret makes no difference, or
// guessing would go on behind the limit.
func (f *Failures) Blocked(limit FailureLimit, clientID, address string) time.Duration {
	return f.wait(limit, keyOf(clientID, address).hash())
}

// Exhausted returns how long the address must wait before its failures are
// told apart again; 0 where it need not. Until then an attempt there that is
// not right at little cost is not worth more: nobody who is right is locked out
// by who shares the address, and no stranger has slow hashes computed for ever.
func (f *Failures) Exhausted(limit FailureLimit, address string) time.Duration {
	return f.wait(limit.ofAddress(), keyOfAddress(address).hash())
}

// Count notes a failure; of one who names no client, for the address alone.
func (f *Failures) Count(limit FailureLimit, clientID, address string) {
	// What an exhausted address tries has no answer of its own any more: names
	// that it makes up must not push out one that is being guessed at.
	key, exhausted := keyOf(clientID, address).hash(), f.Exhausted(limit, address) > 0
	f.countAll(limit.ofAddress(), keyOfAddress(address).hash())
	if _, known := f.limiters.GetIfPresent(key); clientID != "" && (known || !exhausted) {
		f.countAll(limit, key)
	}
}

// countAll charges a failure here and at the others.
func (f *Failures) countAll(limit FailureLimit, key FailureKey) {
	f.charge(limit, key)
	if f.peers != nil {
		f.peers.Tell(key, limit)
	}
}

func (f *Failures) wait(limit FailureLimit, key FailureKey) time.Duration {
	limiter, known := f.limiters.GetIfPresent(key)
	if !known {
		return 0
	}
	missing := 1 - limiter.TokensAt(f.now())
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing * float64(limit.Per) / float64(limit.Count))
}

func (f *Failures) charge(limit FailureLimit, key FailureKey) {
	every := rate.Every(limit.Per / time.Duration(limit.Count))
	limiter, _ := f.limiters.ComputeIfAbsent(key, func() (*rate.Limiter, bool) {
		return rate.NewLimiter(every, limit.Count), false
	})
	now := f.now()
	if limiter.Burst() != limit.Count || limiter.Limit() != every { // the configuration changed
		limiter.SetBurstAt(now, limit.Count)
		limiter.SetLimitAt(now, every)
	}
	if limiter.TokensAt(now) > -maxDebt {
		limiter.ReserveN(now, 1) // takes what is not there yet, too
	}
}

// ofAddress is the limit of an address, all clients together.
func (l FailureLimit) ofAddress() FailureLimit {
	return FailureLimit{Count: l.Count * addressFactor, Per: l.Per}
}
