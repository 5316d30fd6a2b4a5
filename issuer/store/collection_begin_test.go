package store_test

import (
	"errors"
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
