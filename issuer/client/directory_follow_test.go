package client

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// What a follower that panicked was told of, all are told again with the next Load: one that
// was told nothing of a disabled client would serve it for ever.
func TestFollowersHearAgainAfterAPanic(t *testing.T) {
	t.Parallel()
	directory := NewDirectory(store.NewMemory(), time.Now)
	var told []string
	broken := true
	for range 2 {
		defer directory.Follow(func(ids []string) {
			if broken {
				panic("broken")
			}
			told = append(told, ids...)
		})()
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not reach who has made the change")
			}
		}()
		_, err := directory.Create(t.Context(), "x", func(*Record) error { return nil })
		t.Errorf("made: %v", err)
	}()
	broken = false
	for range 2 {
		if err := directory.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(told, []string{"x", "x"}) {
		t.Errorf("told of %q", told)
	}
}

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
