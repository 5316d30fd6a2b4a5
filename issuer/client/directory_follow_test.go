package client

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// Who follows hears once of a client that changed twice: whatever counts clients would
// count it twice.
func TestFollowersHearOfEachOnce(t *testing.T) {
	t.Parallel()
	directory := NewDirectory(store.NewMemory(), time.Now)
	var told [][]string
	defer directory.Follow(func(ids []string) { told = append(told, ids) })()
	for _, revision := range []string{`"revision":3`, `"revision":4`} {
		record := strings.Replace(goodRecord, `"revision":3`, revision, 1)
		if err := directory.take(store.ShardOf("x"), map[string]json.RawMessage{"x": json.RawMessage(record)}); err != nil {
			t.Fatal(err)
		}
	}
	directory.tell()
	directory.tell() // nothing became different since
	if len(told) != 1 || !slices.Equal(told[0], []string{"x"}) {
		t.Errorf("told of %q", told)
	}
}
