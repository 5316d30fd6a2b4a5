package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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

// A shard that is gone keeps none of the others back, and does not hide one that
// cannot be read: a start may go on after the former alone.
func TestCollectionGoneAndUnreadableShards(t *testing.T) {
	t.Parallel()
	place, ctx := &goneShard{Memory: store.NewMemory()}, t.Context()
	must(t, newHolder(place).Change(ctx, []string{"a", "b", "c"}, becomes(`1`)))
	place.name = fmt.Sprintf("things-%02x.json", store.ShardOf("a"))
	h := newHolder(place)
	if err := h.Load(ctx); !errors.Is(err, store.ErrGone) {
		t.Errorf("one is gone: %v", err)
	}
	mustHold(t, h, map[string]string{"b": "1", "c": "1"})
	for _, damaged := range []string{"b", "c"} {
		name := fmt.Sprintf("things-%02x.json", store.ShardOf(damaged))
		must(t, place.Memory.Update(ctx, name, func([]byte) ([]byte, error) { return []byte("{"), nil }))
		if err := newHolder(place).Load(ctx); !errors.Is(err, store.ErrUnreadable) || errors.Is(err, store.ErrGone) {
			t.Errorf("%s is damaged: %v", damaged, err)
		}
	}
}

type goneShard struct {
	*store.Memory
	name string
}

func (p *goneShard) Load(ctx context.Context, name string) ([]byte, error) {
	if name == p.name {
		return nil, fs.ErrNotExist
	}
	return p.Memory.Load(ctx, name)
}
