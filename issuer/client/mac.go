package client

import (
	"crypto/hmac"
	"crypto/sha256"
	stdhash "hash"
	"sync"
)

// mac is HMAC-SHA256 under a random key that ends with the process. It keeps
// those who have hashed the key already: several are computed for each attempt.
type mac struct{ pool sync.Pool }

func newMAC() *mac {
	key := randomBytes(sha256.Size)
	return &mac{pool: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// sum is safe for concurrent use.
func (m *mac) sum(message []byte) (sum [sha256.Size]byte) {
	keyed := m.pool.Get().(stdhash.Hash)
	keyed.Write(message)
	copy(sum[:], keyed.Sum(nil))
	keyed.Reset() // nothing of the message stays
	m.pool.Put(keyed)
	return sum
}
