package gate

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// However many tokens a stranger's client gathers, memory is bounded: an entry
// weighs more than the token that it stands for.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	longest := entrySize(strings.Repeat("x", token.MaxLength))
	if least := entrySize(""); least < 400 || longest < 2*token.MaxLength {
		t.Fatalf("entries weigh %d to %d bytes", least, longest)
	}
	cache := NewCache()
	fit := cacheBytes / int(longest)
	for i := range 3 * fit {
		var key digest
		binary.BigEndian.PutUint64(key[:], uint64(i))
		cache.entries.Set(key, &entry{size: longest})
	}
	if got := cache.Len(); got > fit || got < fit/2 {
		t.Errorf("%d entries of %d bytes, room is for %d", got, longest, fit)
	}
	if weight := cache.entries.WeightedSize(); weight > cacheBytes {
		t.Errorf("%d bytes, want at most %d", weight, cacheBytes)
	}
}
