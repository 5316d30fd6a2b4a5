package client

import (
	"net/netip"
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

// Failures counts failed authentications by client and address. Nobody can
// lock a client out from elsewhere, and one who guesses learns nothing of which
// clients exist: unknown ones are counted alike. There is one for the whole
// process, so that a reload forgets nothing; it is safe for concurrent use.
type Failures struct {
	now      func() time.Time
	limiters *otter.Cache[failureKey, *rate.Limiter]
}

type failureKey struct {
	clientID string
	address  netip.Prefix
}

// NewFailures returns an empty count that takes the time from now.
func NewFailures(now func() time.Time) *Failures {
	return &Failures{now: now, limiters: otter.Must(&otter.Options[failureKey, *rate.Limiter]{MaximumSize: failureSize})}
}

// Blocked returns how long the client must wait before it may try again from
// the address; 0 where it need not. The right secret makes no difference, or
// guessing would go on behind the limit.
func (f *Failures) Blocked(limit FailureLimit, clientID, address string) time.Duration {
	limiter, known := f.limiters.GetIfPresent(keyOf(clientID, address))
	if !known {
		return 0
	}
	missing := 1 - limiter.TokensAt(f.now())
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing * float64(limit.Per) / float64(limit.Count))
}

// Count notes a failure.
func (f *Failures) Count(limit FailureLimit, clientID, address string) {
	every := rate.Every(limit.Per / time.Duration(limit.Count))
	limiter, _ := f.limiters.ComputeIfAbsent(keyOf(clientID, address), func() (*rate.Limiter, bool) {
		return rate.NewLimiter(every, limit.Count), false
	})
	now := f.now()
	if limiter.Burst() != limit.Count || limiter.Limit() != every { // the configuration changed
		limiter.SetBurstAt(now, limit.Count)
		limiter.SetLimitAt(now, every)
	}
	limiter.AllowN(now, 1)
}

// keyOf bounds the key: what cannot be a client_id is one client. An IPv6
// network of 64 bits is one address, since that is what a single host is given.
func keyOf(clientID, address string) failureKey {
	if !ValidID(clientID) {
		clientID = ""
	}
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return failureKey{clientID: clientID}
	}
	parsed = parsed.Unmap().WithZone("")
	bits := parsed.BitLen()
	if parsed.Is6() {
		bits = 64
	}
	prefix, err := parsed.Prefix(bits)
	if err != nil { // bits are within the address: cannot be
		return failureKey{clientID: clientID}
	}
	return failureKey{clientID: clientID, address: prefix}
}
