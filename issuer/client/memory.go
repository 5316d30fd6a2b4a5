package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/maypok86/otter/v2"
)

const (
	// memoryLifetime is how long a right secret is remembered after its hash
	// was computed.
	memoryLifetime = 10 * time.Minute
	memorySize     = 10_000 // entries of about 100 bytes
)

// Memory remembers which secrets were found right, so that a slow hash is
// computed once in ten minutes and not for each token. It holds no secret but
// a digest under a key of its own. There is one for the whole process, so that
// a reload keeps it; it is safe for concurrent use.
type Memory struct {
	key   []byte
	now   func() time.Time
	until *otter.Cache[remembered, time.Time]
}

// remembered stands for one client's secret, the hash it is configured with
// and the text that matched: a secret that is taken away or gets another hash
// is never asked for again.
type remembered [sha256.Size]byte

// NewMemory returns an empty memory that takes the time from now.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{
		key: randomBytes(sha256.Size),
		now: now,
		// Entries are judged by their own time when they are read: the cache
		// needs no clock, and no goroutine of its own, to be right.
		until: otter.Must(&otter.Options[remembered, time.Time]{MaximumSize: memorySize}),
	}
}

// name prefixes each part with its length, so that no two triples have one
// digest.
func (m *Memory) name(clientID, hashText, presented string) remembered {
	mac := hmac.New(sha256.New, m.key)
	message := make([]byte, 0, 3*8+len(clientID)+len(hashText)+len(presented))
	for _, part := range [...]string{clientID, hashText, presented} {
		message = binary.BigEndian.AppendUint64(message, uint64(len(part)))
		message = append(message, part...)
	}
	mac.Write(message)
	var sum remembered
	mac.Sum(sum[:0])
	return sum
}

// has tells whether the secret was found right less than ten minutes ago. It
// knows nothing of the secret's own expiry.
func (m *Memory) has(clientID string, secret *Secret, presented string) bool {
	until, ok := m.until.GetIfPresent(m.name(clientID, secret.hash.text, presented))
	return ok && m.now().Before(until)
}

// remember notes that the presented text is the secret.
func (m *Memory) remember(clientID string, secret *Secret, presented string) {
	m.until.Set(m.name(clientID, secret.hash.text, presented), m.now().Add(memoryLifetime))
}
