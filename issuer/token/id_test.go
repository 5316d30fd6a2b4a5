package token_test

import (
	"math"
	"regexp"
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

// What is an id is one that NewID could have returned, and nothing else: not a token
// and not a secret, which must not be taken for one and shown.
func FuzzIsID(f *testing.F) {
	for _, seed := range []string{
		token.NewID(0), token.NewID(7), "", ".", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAAA.", "AAAAAAAAAAAAAAAAAAAAAA.0",
		"AAAAAAAAAAAAAAAAAAAAAA.+1", "AAAAAAAAAAAAAAAAAAAAAA.01", "AAAAAAAAAAAAAAAAAAAA\nAA", "AAAAAAAAAAAAAAAAAAAAAA\n", "a.b.c", "AAAAAAAAAAAAAAAAAAAAA=",
	} {
		f.Add(seed)
	}
	form := regexp.MustCompile(`\A[A-Za-z0-9_-]{21}[AQgw](\.[1-9][0-9]{0,19})?\z`)
	f.Fuzz(func(t *testing.T, text string) {
		if token.IsID(text) && !form.MatchString(text) {
			t.Errorf("%q is taken for an id", text)
		}
		if made := token.NewID(uint64(len(text))); !token.IsID(made) {
			t.Errorf("%q is not", made)
		}
	})
}
