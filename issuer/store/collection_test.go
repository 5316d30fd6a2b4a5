package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// holder is an owner of a collection that keeps records as they are.
type holder struct {
	*store.Collection

	mu     sync.Mutex
	shards map[int]map[string]json.RawMessage
	taken  int
	refuse error
}

func newHolder(documents store.Documents) *holder {
	h := &holder{shards: make(map[int]map[string]json.RawMessage)}
	h.Collection = store.NewCollection(documents, "things", h.take)
	return h
}

func (h *holder) take(shard int, records map[string]json.RawMessage) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refuse != nil {
		return h.refuse
	}
	h.shards[shard] = records
	h.taken++
	return nil
}

func (h *holder) all() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make(map[string]string)
	for _, records := range h.shards {
		for key, record := range records {
			all[key] = string(record)
		}
	}
	return all
}

func becomes(value string) func(string, json.RawMessage) (json.RawMessage, error) {
	return func(string, json.RawMessage) (json.RawMessage, error) { return json.RawMessage(value), nil }
}

func removed(string, json.RawMessage) (json.RawMessage, error) { return store.Delete, nil }

func mustHold(t *testing.T, h *holder, want map[string]string) {
	t.Helper()
	if got := h.all(); !maps.Equal(got, want) {
		t.Errorf("holds %v, want %v", got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What one process changes, another sees when it looks, and reads no more of it
// than has changed.
func TestCollectionIsSharedByProcesses(t *testing.T) {
	t.Parallel()
	documents, ctx := store.NewMemory(), t.Context()
	one, other := newHolder(documents), newHolder(documents)
	must(t, other.Load(ctx))
	if other.Stored() {
		t.Error("there is something before the first change")
	}
	must(t, one.Change(ctx, []string{"a", "b", "c"}, becomes(`1`)))
	mustHold(t, one, map[string]string{"a": "1", "b": "1", "c": "1"})
	must(t, other.Load(ctx))
	mustHold(t, other, map[string]string{"a": "1", "b": "1", "c": "1"})

	before := other.taken
	must(t, one.Change(ctx, []string{"b"}, removed))
	must(t, one.Change(ctx, []string{"b", "nobody"}, removed))
	must(t, other.Load(ctx))
	must(t, other.Load(ctx))
	mustHold(t, other, map[string]string{"a": "1", "c": "1"})
	if taken := other.taken - before; taken != 1 {
		t.Errorf("one changed shard was handed over %d times", taken)
	}
	if !other.Stored() {
		t.Error("there is nothing after the changes")
	}
}

// A change sees what others stored since it last looked.
func TestCollectionChangesWhatIsStored(t *testing.T) {
	t.Parallel()
	documents, ctx := store.NewMemory(), t.Context()
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			h := newHolder(documents)
			for i := range 25 {
				err := h.Change(ctx, []string{"sum", fmt.Sprint("own", i)}, func(_ string, old json.RawMessage) (json.RawMessage, error) {
					var sum int
					if old != nil {
						_ = json.Unmarshal(old, &sum)
					}
					return json.Marshal(sum + 1)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	h := newHolder(documents)
	must(t, h.Load(ctx))
	if got := h.all()["sum"]; got != "100" {
		t.Errorf("100 changes at the same time count %s", got)
	}
}

// An error of the change, or of the owner, changes nothing and is passed on.
func TestCollectionRefusals(t *testing.T) {
	t.Parallel()
	documents, ctx := store.NewMemory(), t.Context()
	h := newHolder(documents)
	must(t, h.Change(ctx, []string{"a"}, becomes(`1`)))
	refusal := errors.New("not like this")
	err := h.Change(ctx, []string{"a"}, func(string, json.RawMessage) (json.RawMessage, error) { return nil, refusal })
	if !errors.Is(err, refusal) {
		t.Errorf("got %v", err)
	}
	mustHold(t, h, map[string]string{"a": "1"})

	other := newHolder(documents)
	other.refuse = refusal
	if err := other.Load(ctx); !errors.Is(err, refusal) || !strings.Contains(err.Error(), "things-") {
		t.Errorf("got %v", err)
	}
	other.refuse = nil
	must(t, other.Load(ctx)) // what was refused is offered again
	mustHold(t, other, map[string]string{"a": "1"})
}

// What was there and is gone is told, and never taken for nothing.
func TestCollectionGone(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"things.json", fmt.Sprintf("things-%02x.json", store.ShardOf("a"))} {
		documents, ctx := &losing{Memory: store.NewMemory()}, t.Context()
		h, other := newHolder(documents), newHolder(documents)
		must(t, h.Change(ctx, []string{"a"}, becomes(`1`)))
		must(t, other.Load(ctx))
		must(t, h.Change(ctx, []string{"a"}, becomes(`2`)))
		documents.lose(document)
		if err := other.Load(ctx); !errors.Is(err, store.ErrGone) || !strings.Contains(err.Error(), document) {
			t.Errorf("%s: got %v", document, err)
		}
		mustHold(t, other, map[string]string{"a": "1"})
	}
}

// FuzzCollection: what is read is either refused or what was written.
func FuzzCollection(f *testing.F) {
	f.Add([]byte(`{"shards":{"ca":1}}`), []byte(`{"version":1,"records":{"a":1}}`))
	f.Add([]byte(`{}`), []byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, index, shard []byte) {
		documents := store.NewMemory()
		for name, content := range map[string][]byte{
			"things.json": index, fmt.Sprintf("things-%02x.json", store.ShardOf("a")): shard,
		} {
			must(t, documents.Update(t.Context(), name, func([]byte) ([]byte, error) { return content, nil }))
		}
		h := newHolder(documents)
		if h.Load(t.Context()) != nil {
			return
		}
		for key, record := range h.all() {
			if store.ShardOf(key) != store.ShardOf("a") || !json.Valid([]byte(record)) {
				t.Errorf("took %q: %q", key, record)
			}
		}
	})
}
