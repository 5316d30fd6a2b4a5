package client

import (
	"net/netip"
	"strings"
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
// nothing; it is safe for concurrent use.
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
	return f.wait(limit, keyOf(clientID, address))
}

// Exhausted returns how long the address must wait before its failures are
// told apart again; 0 where it need not. Until then an attempt there that is
// not right at little cost is not worth more: nobody who is right is locked out
// by who shares the address, and no stranger has slow hashes computed for ever.
func (f *Failures) Exhausted(limit FailureLimit, address string) time.Duration {
	return f.wait(limit.ofAddress(), keyOfAddress(address))
}

// Count notes a failure; of one who names no client, for the address alone.
func (f *Failures) Count(limit FailureLimit, clientID, address string) {
	// What an exhausted address tries has no answer of its own any more: names
	// that it makes up must not push out one that is being guessed at.
	key, exhausted := keyOf(clientID, address), f.Exhausted(limit, address) > 0
	f.charge(limit.ofAddress(), keyOfAddress(address))
	if _, known := f.limiters.GetIfPresent(key); clientID != "" && (known || !exhausted) {
		f.charge(limit, key)
	}
}

func (f *Failures) wait(limit FailureLimit, key failureKey) time.Duration {
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

func (f *Failures) charge(limit FailureLimit, key failureKey) {
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

// keyOfAddress is that of an address; no client_id is as long.
func keyOfAddress(address string) failureKey {
	key := keyOf("", address)
	key.clientID = everyClient
	return key
}

var everyClient = strings.Repeat("*", MaxID+1)

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
