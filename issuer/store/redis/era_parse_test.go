package redis

import (
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// What is no era is never taken for one that refuses nothing.
func TestParseEra(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "x", "x 0", " 0 0", "x 0 0 0", "x  0 0", "x -1 0", "x 1 1", "x 2 1", "x 1 0", "x 1 4294967296", "x 1 2\n", "x 0 x", "x +1 2",
	} {
		if found := parseEra(text); found != nil {
			t.Errorf("%q is %v", text, found)
		}
	}
	for _, strict := range []store.Strictness{{}, {Since: 1, Until: 2}, {Since: 1_800_000_000, Until: 1_800_003_600}} {
		made := newEra(strict)
		if found := parseEra(made.text); found == nil || *found != made {
			t.Errorf("%v became %v", made, found)
		}
	}
}

// An era that was read is strict in order, or refuses nothing because it says so.
func FuzzParseEra(f *testing.F) {
	for _, text := range []string{"x 0 0", "ABC 1800000000 1800003600", "x 1 1", "x 00 0", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found := parseEra(text)
		if found == nil {
			return
		}
		if found.text != text || strings.Count(text, " ") != 2 {
			t.Errorf("%q became %v", text, found)
		}
		if found.strict != (store.Strictness{}) && found.strict.Until <= found.strict.Since {
			t.Errorf("%q is strict from %d until %d", text, found.strict.Since, found.strict.Until)
		}
	})
}
