package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// A collection that has begun is told from one that was lost, also where no record was
// ever in it, and also by who holds some: then it is written again with all of them.
func TestCollectionBegins(t *testing.T) {
	t.Parallel()
	for name, records := range map[string]map[string]string{"empty": {}, "not empty": {"a": "1", "b": "1"}} {
		documents, ctx := &losing{Memory: store.NewMemory()}, t.Context()
		h := newHolder(documents)
		must(t, h.Load(ctx))
		if h.Stored() {
			t.Errorf("%s: there before it began", name)
		}
		must(t, h.Begin(ctx))
		for key := range records {
			must(t, h.Change(ctx, []string{key}, becomes(`1`)))
		}
		documents.lose("things.json")
		if err := h.Load(ctx); !errors.Is(err, store.ErrGone) || !h.Stored() {
			t.Errorf("%s: its loss was not noticed: %v", name, err)
		}
		started := newHolder(documents)
		must(t, started.Load(ctx))
		if started.Stored() {
			t.Errorf("%s: a start takes it for there", name)
		}
		must(t, h.Begin(ctx))
		must(t, h.Load(ctx))
		must(t, started.Load(ctx))
		mustHold(t, started, records)
		if !started.Stored() {
			t.Errorf("%s: not written again", name)
		}
	}
}

// Shards that an index from earlier does not list are found at a start, and are in it
// from when that begins. Damaged ones are told of, and keep none of the others back.
func TestCollectionSearch(t *testing.T) {
	t.Parallel()
	documents, ctx := &losing{Memory: store.NewMemory()}, t.Context()
	h := newHolder(documents)
	must(t, h.Begin(ctx))
	earlier, err := documents.Load(ctx, "things.json")
	must(t, err)
	must(t, h.Change(ctx, []string{"a", "b", "c"}, becomes(`1`)))
	want := h.all()
	must(t, documents.Update(ctx, "things.json", func([]byte) ([]byte, error) { return earlier, nil }))

	started := newHolder(documents)
	must(t, started.Load(ctx))
	mustHold(t, started, nil)
	must(t, started.Search(ctx))
	mustHold(t, started, want)
	must(t, started.Begin(ctx))
	must(t, started.Load(ctx))
	other := newHolder(documents)
	must(t, other.Load(ctx))
	mustHold(t, other, want)

	must(t, documents.Update(ctx, "things.json", func([]byte) ([]byte, error) { return earlier, nil }))
	damaged := fmt.Sprintf("things-%02x.json", store.ShardOf("a"))
	must(t, documents.Update(ctx, damaged, func([]byte) ([]byte, error) { return []byte("{"), nil }))
	started = newHolder(documents)
	must(t, started.Load(ctx))
	if err := started.Search(ctx); !errors.Is(err, store.ErrUnreadable) || !strings.Contains(err.Error(), damaged) {
		t.Errorf("got %v", err)
	}
	delete(want, "a")
	mustHold(t, started, want)
}

// An index that went back is put right by who knows more, with what it does not list.
func TestCollectionBeginsAgain(t *testing.T) {
	t.Parallel()
	documents, ctx := store.NewMemory(), t.Context()
	h := newHolder(documents)
	must(t, h.Change(ctx, []string{"a"}, becomes(`1`)))
	earlier, err := documents.Load(ctx, "things.json")
	must(t, err)
	must(t, h.Change(ctx, []string{"a", "b"}, becomes(`2`)))
	must(t, documents.Update(ctx, "things.json", func([]byte) ([]byte, error) { return earlier, nil }))
	must(t, h.Begin(ctx))
	other := newHolder(documents)
	must(t, other.Load(ctx))
	mustHold(t, other, h.all())
	must(t, other.Begin(ctx))
}
