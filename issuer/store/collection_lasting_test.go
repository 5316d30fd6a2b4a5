package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// newLasting makes a holder of lasting records; a record 0 has lapsed.
func newLasting(documents store.Documents) *holder {
	h := &holder{shards: make(map[int]map[string]json.RawMessage)}
	h.Collection = store.NewLastingCollection(documents, "things", h.take, store.Lasting{
		Held: func(shard int) map[string]json.RawMessage {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.shards[shard]
		},
		Lapsed: func(record json.RawMessage) bool { return string(record) == "0" },
	})
	return h
}

// sameShard returns two keys of one shard and a third of another.
func sameShard() (one, beside, elsewhere string) {
	one, elsewhere = "a", "b"
	for i := 0; ; i++ {
		if beside = fmt.Sprint("x", i); store.ShardOf(beside) == store.ShardOf(one) {
			return one, beside, elsewhere
		}
	}
}

// What has lapsed goes when its shard is written, and not before.
func TestLapsedRecordsGo(t *testing.T) {
	t.Parallel()
	documents, ctx := store.NewMemory(), t.Context()
	one, beside, elsewhere := sameShard()
	h := newLasting(documents)
	plain := newHolder(documents) // writes what has lapsed
	must(t, plain.Change(ctx, []string{one, elsewhere}, becomes(`0`)))
	must(t, h.Load(ctx))
	mustHold(t, h, map[string]string{one: "0", elsewhere: "0"})
	must(t, h.Change(ctx, []string{beside}, becomes(`1`)))
	other := newLasting(documents)
	must(t, other.Load(ctx))
	mustHold(t, other, map[string]string{beside: "1", elsewhere: "0"})
}

// What was lost, in whole or in part, or went back, is stored again with the next
// change, or when that is asked for.
func TestLostRecordsAreStoredAgain(t *testing.T) {
	t.Parallel()
	one, beside, elsewhere := sameShard()
	shard := fmt.Sprintf("things-%02x.json", store.ShardOf(one))
	for name, damage := range map[string]func(t *testing.T, documents *losing, h *holder){
		"all": func(_ *testing.T, documents *losing, _ *holder) {
			documents.lose("things.json", shard, fmt.Sprintf("things-%02x.json", store.ShardOf(elsewhere)))
		},
		"index": func(_ *testing.T, documents *losing, _ *holder) { documents.lose("things.json") },
		"shard": func(_ *testing.T, documents *losing, _ *holder) { documents.lose(shard) },
		"shard went back": func(t *testing.T, documents *losing, h *holder) {
			must(t, h.Change(t.Context(), []string{one}, becomes(`2`)))
			must(t, documents.Update(t.Context(), shard, func([]byte) ([]byte, error) {
				return []byte(`{"version":1,"records":{}}`), nil
			}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			documents, ctx := &losing{Memory: store.NewMemory()}, t.Context()
			h := newLasting(documents)
			must(t, h.Change(ctx, []string{one, elsewhere}, becomes(`1`)))
			damage(t, documents, h)
			want := h.all()
			must(t, h.Change(ctx, []string{beside}, becomes(`3`)))
			want[beside] = "3"
			other := newLasting(documents)
			must(t, other.Load(ctx))
			mustHold(t, other, want)
			must(t, h.Load(ctx))
		})
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	documents, ctx := &losing{Memory: store.NewMemory()}, t.Context()
	h := newLasting(documents)
	must(t, h.Restore(ctx))
	if _, err := documents.Load(ctx, "things.json"); err == nil {
		t.Error("something was stored before the first change")
	}
	must(t, h.Change(ctx, []string{"a", "b", "c"}, becomes(`1`)))
	want := maps.Clone(h.all())
	documents.lose("things.json", fmt.Sprintf("things-%02x.json", store.ShardOf("b")))
	if err := h.Load(ctx); !errors.Is(err, store.ErrGone) {
		t.Errorf("not noticed: %v", err)
	}
	must(t, h.Restore(ctx))
	must(t, h.Load(ctx))
	other := newLasting(documents)
	must(t, other.Load(ctx))
	mustHold(t, other, want)
}

// failingOnce are documents of which one cannot be written once.
type failingOnce struct {
	store.Documents
	name string
}

var errOnce = errors.New("the disk is full")

func (f *failingOnce) Update(ctx context.Context, name string, change func([]byte) ([]byte, error)) error {
	if name == f.name {
		f.name = ""
		return errOnce
	}
	return f.Documents.Update(ctx, name, change)
}

// A change that was stored and could not be announced is not done. Repeated, also
// by another process, it is: others see it, and a start finds it.
func TestUnannouncedChange(t *testing.T) {
	t.Parallel()
	for _, restarted := range []bool{false, true} {
		documents, ctx := &failingOnce{store.NewMemory(), "things.json"}, t.Context()
		h := newHolder(documents)
		if err := h.Change(ctx, []string{"a"}, becomes(`1`)); !errors.Is(err, errOnce) {
			t.Fatalf("got %v", err)
		}
		must(t, h.Load(ctx))
		if restarted {
			h = newHolder(documents)
			must(t, h.Load(ctx))
		}
		must(t, h.Change(ctx, []string{"a"}, becomes(`1`)))
		other := newHolder(documents)
		must(t, other.Load(ctx))
		mustHold(t, other, map[string]string{"a": "1"})
	}
}

// losing forgets documents, as an operator does who empties a folder.
type losing struct {
	*store.Memory
	lost map[string]bool
}

func (l *losing) Load(ctx context.Context, name string) ([]byte, error) {
	if l.lost[name] {
		return store.NewMemory().Load(ctx, name)
	}
	return l.Memory.Load(ctx, name)
}

// lose forgets documents until they are written.
func (l *losing) lose(names ...string) {
	l.lost = make(map[string]bool)
	for _, name := range names {
		l.lost[name] = true
	}
}

func (l *losing) Update(ctx context.Context, name string, change func([]byte) ([]byte, error)) error {
	return l.Memory.Update(ctx, name, func(old []byte) ([]byte, error) {
		if l.lost[name] {
			old = nil
		}
		fresh, err := change(old)
		if err == nil && fresh != nil {
			delete(l.lost, name)
		}
		return fresh, err
	})
}
