package proof

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"sync/atomic"
	"time"
)

// noncePeriod is how long one nonce is handed out. It is good for as long again
// after that.
const noncePeriod = 5 * time.Minute

// secretLength is that of the secret of [Nonces], in bytes.
const secretLength = 32

// Nonces makes the values of `DPoP-Nonce` (RFC 9449 sections 8 and 9). They are
// the number of a period of time and a MAC of it: nothing is remembered, and
// everyone with the secret knows them all. Until [Nonces.Load] has found a
// secret or [Nonces.Make] has made one, no nonce is good. It is safe for
// concurrent use.
type Nonces struct {
	now    func() time.Time
	secret atomic.Pointer[[secretLength]byte]
}

// NewNonces returns nonces without a secret. now is the clock.
func NewNonces(now func() time.Time) *Nonces { return &Nonces{now: now} }

// Ready tells whether there is a secret.
func (n *Nonces) Ready() bool { return n.secret.Load() != nil }

// Current is the nonce to hand out; empty where there is no secret.
func (n *Nonces) Current() string { return n.of(n.period()) }

// Check tells whether a nonce is good, and whether it is the current one. It is
// good in its period and the next; in the period before for the sake of
// instances whose clocks are ahead.
func (n *Nonces) Check(nonce string) (good, current bool) {
	if nonce == "" || !n.Ready() {
		return false, false
	}
	period := n.period()
	for _, one := range [...]int64{period, period - 1, period + 1} {
		if subtle.ConstantTimeCompare([]byte(n.of(one)), []byte(nonce)) == 1 {
			return true, one == period
		}
	}
	return false, false
}

func (n *Nonces) period() int64 { return n.now().Unix() / int64(noncePeriod/time.Second) }

func (n *Nonces) of(period int64) string {
	secret := n.secret.Load()
	if secret == nil {
		return ""
	}
	nonce := binary.BigEndian.AppendUint64(nil, uint64(period)) //nolint:gosec // a bijection is enough
	mac := hmac.New(sha256.New, secret[:])
	mac.Write(nonce)
	return base64.RawURLEncoding.EncodeToString(append(nonce[4:], mac.Sum(nil)[:20]...))
}

func newSecret() *[secretLength]byte {
	secret := new([secretLength]byte)
	_, _ = rand.Read(secret[:]) // never fails: crypto/rand ends the process instead
	return secret
}
