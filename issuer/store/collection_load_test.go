package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// manyKeys are of nearly all shards.
func manyKeys() []string {
	keys := make([]string, 2000)
	for i := range keys {
		keys[i] = fmt.Sprint("key", i)
	}
	return keys
}

// Shards are read at the same time: all that is damaged is named, in the order of the
// documents, every time, and keeps nothing back.
func TestCollectionLoadsManyShards(t *testing.T) {
	t.Parallel()
	documents, ctx := store.NewMemory(), t.Context()
	must(t, newHolder(documents).Change(ctx, manyKeys(), becomes(`1`)))
	var names []string
	for _, shard := range []int{3, 4, 77, 255} {
		name := fmt.Sprintf("things-%02x.json", shard)
		names = append(names, name)
		must(t, documents.Update(ctx, name, func([]byte) ([]byte, error) { return []byte("{"), nil }))
	}
	var first string
	for range 20 {
		h := newHolder(documents)
		err := h.Load(ctx)
		if !errors.Is(err, store.ErrUnreadable) || len(h.shards) != store.Shards-len(names) {
			t.Fatalf("%d shards, %v", len(h.shards), err)
		}
		if first == "" {
			first = err.Error()
		}
		if err.Error() != first {
			t.Errorf("%v\nis not\n%s", err, first)
		}
	}
	rest := first
	for _, name := range names {
		_, after, found := strings.Cut(rest, name)
		if !found {
			t.Errorf("%s is not named in its place: %s", name, first)
		}
		rest = after
	}
}

// After an error of the place itself no more is read than was begun: behind a network
// each would wait for it again. What was read before is known, and is not read again.
func TestCollectionLoadStopsWhereThePlaceFails(t *testing.T) {
	t.Parallel()
	place, ctx := &awayPlace{Memory: store.NewMemory()}, t.Context()
	must(t, newHolder(place).Change(ctx, manyKeys(), becomes(`1`)))
	h := newHolder(place)
	place.left.Store(100)
	if err := h.Load(ctx); !errors.Is(err, errAway) || errors.Is(err, store.ErrUnreadable) {
		t.Errorf("got %v", err)
	}
	if beyond := -place.left.Load(); beyond > store.Shards/2 {
		t.Errorf("%d reads failed, one after the other", beyond)
	}
	read := h.taken
	place.left.Store(10_000)
	must(t, h.Load(ctx))
	if h.taken != store.Shards || read == 0 {
		t.Errorf("%d shards were taken first, %d in all", read, h.taken)
	}
}

var errAway = errors.New("no route to host")

// awayPlace fails once so many documents were read.
type awayPlace struct {
	*store.Memory
	left atomic.Int64
}

func (p *awayPlace) Load(ctx context.Context, name string) ([]byte, error) {
	if strings.Contains(name, "-") && p.left.Add(-1) < 0 {
		return nil, errAway
	}
	return p.Memory.Load(ctx, name)
}

// A panic of the owner is an error: in a goroutine it would end the process.
func TestCollectionLoadSurvivesAPanic(t *testing.T) {
	t.Parallel()
	documents, ctx := store.NewMemory(), t.Context()
	must(t, newHolder(documents).Change(ctx, []string{"a"}, becomes(`1`)))
	broken := store.NewCollection(documents, "things", func(int, map[string]json.RawMessage) error { panic("broken") })
	for range 2 { // it counts as not read
		if err := broken.Load(ctx); err == nil || !strings.Contains(err.Error(), "things-") {
			t.Errorf("got %v", err)
		}
	}
}

// So is one of the place while shards are looked for.
func TestCollectionSearchSurvivesAPanic(t *testing.T) {
	t.Parallel()
	h := newHolder(panickingPlace{store.NewMemory()})
	must(t, h.Begin(t.Context()))
	must(t, h.Load(t.Context()))
	if err := h.Search(t.Context()); err == nil || !strings.Contains(err.Error(), "loading things-00.json: panic: broken") {
		t.Errorf("got %v", err)
	}
}

// panickingPlace is a place whose shards cannot be read at all.
type panickingPlace struct{ *store.Memory }

func (p panickingPlace) Load(ctx context.Context, name string) ([]byte, error) {
	if strings.Contains(name, "-") {
		panic("broken")
	}
	return p.Memory.Load(ctx, name)
}
