package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// A damaged shard keeps none of the others back, neither when they are read nor
// when they are changed, and stays as it is.
func TestCollectionUnreadableShard(t *testing.T) {
	t.Parallel()
	documents, ctx := store.NewMemory(), t.Context()
	keys := []string{"a", "b", "c", "d", "e", "f"}
	must(t, newHolder(documents).Change(ctx, keys, becomes(`1`)))
	first := keys[0]
	for _, key := range keys {
		if store.ShardOf(key) < store.ShardOf(first) {
			first = key
		}
	}
	damaged := fmt.Sprintf("things-%02x.json", store.ShardOf(first))
	must(t, documents.Update(ctx, damaged, func([]byte) ([]byte, error) { return []byte("{"), nil }))

	h := newHolder(documents)
	if err := h.Load(ctx); !errors.Is(err, store.ErrUnreadable) {
		t.Errorf("loading: %v", err)
	}
	if err := h.Change(ctx, keys, becomes(`2`)); !errors.Is(err, store.ErrUnreadable) {
		t.Errorf("changing: %v", err)
	}
	want := map[string]string{"a": "2", "b": "2", "c": "2", "d": "2", "e": "2", "f": "2"}
	delete(want, first)
	mustHold(t, h, want)
	if content, err := documents.Load(ctx, damaged); err != nil || string(content) != "{" {
		t.Errorf("the damaged document became %q, %v", content, err)
	}

	other := newHolder(documents)
	if err := other.Load(ctx); !errors.Is(err, store.ErrUnreadable) {
		t.Errorf("loading what was changed: %v", err)
	}
	mustHold(t, other, want)
}

// What is wrong with the place itself ends a change: each further shard would
// only wait for it again.
func TestCollectionStopsWhereThePlaceFails(t *testing.T) {
	t.Parallel()
	tries := 0
	h := newHolder(failingPlace{store.NewMemory(), &tries})
	if err := h.Change(t.Context(), []string{"a", "b", "c"}, becomes(`1`)); err == nil || tries != 1 {
		t.Errorf("%v after %d tries", err, tries)
	}
}

type failingPlace struct {
	*store.Memory
	tries *int
}

func (p failingPlace) Update(context.Context, string, func([]byte) ([]byte, error)) error {
	*p.tries++
	return errors.New("no route to host")
}
