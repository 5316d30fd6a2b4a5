package token_test

import (
	"math"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// RFC 9068 section 2.2: at least 128 random bits, and never one twice.
func TestNewID(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for range 10_000 {
		id := token.NewID(0)
		if len(id) != 22 || seen[id] || strings.ContainsAny(id, ".+/=") {
			t.Fatalf("id %q: expected 22 fresh base64url characters", id)
		}
		seen[id] = true
	}
}

func TestEpochRoundTrip(t *testing.T) {
	t.Parallel()
	for _, epoch := range []uint64{0, 1, 9, 10, 1 << 32, math.MaxUint64} {
		if got := token.Epoch(token.NewID(epoch)); got != epoch {
			t.Errorf("epoch %d came back as %d", epoch, got)
		}
	}
}

// What NewID did not write counts as the oldest epoch: that is refused first.
func TestEpochOfOtherIDs(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"", "id", "id.", "id.x", "id.-1", "id.+1", "id.1.2", "id. 1", "id.1 ", "id.0x1", "id.1_000", "id.18446744073709551616", ".", "..",
	} {
		if got := token.Epoch(id); got != 0 {
			t.Errorf("Epoch(%q) = %d, expected 0", id, got)
		}
	}
}
