package client

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// hungUp are documents of which the index cannot be written once: who asked for the
// change has hung up, or the disk is full.
type hungUp struct {
	store.Documents
	fail bool
}

func (h *hungUp) Update(ctx context.Context, name string, change func([]byte) ([]byte, error)) error {
	if h.fail && name == DirectoryName+".json" {
		h.fail = false
		return errors.New("not written")
	}
	return h.Documents.Update(ctx, name, change)
}

// A removal that was stored, and that nobody was told of, is told when it is tried
// again, also by a process that knows nothing of the first time.
func TestRemovalIsToldWhenTriedAgain(t *testing.T) {
	t.Parallel()
	for _, restart := range []bool{false, true} {
		documents := store.NewMemory()
		failing := &hungUp{Documents: documents}
		one, other := newDirectory(t, failing), newDirectory(t, documents)
		create(t, one, "x", func(*Record) {})
		if err := other.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		remove := func() error {
			_, err := one.Change(t.Context(), "x", func(*Record) (*Record, error) { return nil, nil })
			return err
		}
		failing.fail = true
		if err := remove(); err == nil {
			t.Fatal("what could not be told was acknowledged")
		}
		if restart {
			one = newDirectory(t, failing)
		}
		if err := remove(); err != nil && !errors.Is(err, ErrNoClient) {
			t.Error(err)
		}
		if err := other.Load(t.Context()); err != nil {
			t.Error(err)
		}
		if _, found := other.Get("x"); found || other.Epoch("x") != 1 {
			t.Errorf("restart %v: the client is still there elsewhere, epoch %d", restart, other.Epoch("x"))
		}
	}
}

// A record that this version cannot understand hides no change of other clients.
func TestOneRecordHidesNoOthers(t *testing.T) {
	t.Parallel()
	documents := store.NewMemory()
	one, other := newDirectory(t, documents), newDirectory(t, documents)
	for i := range 20 {
		create(t, one, fmt.Sprint("client", i), func(*Record) {})
	}
	if err := other.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		id := fmt.Sprint("newer", i)
		fill(t, documents, id, `{"client_id":"`+id+`","member_of_a_later_version":1,"last_secret":0,"epoch":0,"revision":1,"made":"2026-01-01T00:00:00Z","changed":"2026-01-01T00:00:00Z"}`)
	}
	for i := range 20 {
		if shard := fmt.Sprint("client", i); i%2 == 0 && store.ShardOf(shard) != store.ShardOf("newer0") {
			_, err := one.Change(t.Context(), shard, func(r *Record) (*Record, error) { r.Disabled = true; return r, nil })
			if err != nil && !errors.Is(err, store.ErrUnreadable) {
				t.Fatal(err)
			}
		}
	}
	if err := other.Load(t.Context()); !errors.Is(err, store.ErrUnreadable) {
		t.Errorf("the record is not told of: %v", err)
	}
	for i := range 20 {
		here, _ := one.Get(fmt.Sprint("client", i))
		there, _ := other.Get(fmt.Sprint("client", i))
		if here.Disabled != there.Disabled {
			t.Errorf("client%d: disabled %v, elsewhere %v", i, here.Disabled, there.Disabled)
		}
	}
}

// A part of the directory that is missing at a start is an error that promises nothing:
// nobody knows who was in it. One that goes missing later takes nobody along.
func TestMissingPartStopsTheStart(t *testing.T) {
	t.Parallel()
	documents := &partly{Documents: store.NewMemory()}
	known := newDirectory(t, documents)
	create(t, known, "x", func(*Record) {})
	documents.missing = fmt.Sprintf("%s-%02x.json", DirectoryName, store.ShardOf("x"))
	err := NewDirectory(documents, time.Now).Load(t.Context())
	if err == nil || errors.Is(err, store.ErrGone) || !strings.Contains(err.Error(), documents.missing) {
		t.Errorf("at a start: %v", err)
	}
	create(t, known, "y", func(*Record) {}) // so that it is looked at again
	if _, found := known.Get("x"); !found {
		t.Error("a client that is in force is gone")
	}
}

// partly are documents of which one is missing.
type partly struct {
	store.Documents
	missing string
}

func (p *partly) Load(ctx context.Context, name string) ([]byte, error) {
	if name == p.missing {
		return nil, fs.ErrNotExist
	}
	return p.Documents.Load(ctx, name)
}

// wentBack is a store that lost what was written last, as with a failover to a
// replica that lagged behind.
type wentBack struct {
	documents *store.Memory
	kept      map[string][]byte
}

func remember(t *testing.T, documents *store.Memory, id string) *wentBack {
	t.Helper()
	w := &wentBack{documents, make(map[string][]byte)}
	for _, name := range []string{DirectoryName + ".json", fmt.Sprintf("%s-%02x.json", DirectoryName, store.ShardOf(id))} {
		content, err := documents.Load(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		w.kept[name] = content
	}
	return w
}

func (w *wentBack) happen(t *testing.T) {
	t.Helper()
	for name, content := range w.kept {
		if err := w.documents.Update(t.Context(), name, func([]byte) ([]byte, error) { return content, nil }); err != nil {
			t.Fatal(err)
		}
	}
}

// Where a client was lost that is in force, it can be disabled all the same, and its
// epoch does not go down.
func TestLostClientCanBeDisabled(t *testing.T) {
	t.Parallel()
	documents := store.NewMemory()
	d := newDirectory(t, documents)
	beside := "x"
	for i := 0; beside == "x" || store.ShardOf(beside) != store.ShardOf("x"); i++ {
		beside = fmt.Sprint("beside", i)
	}
	create(t, d, beside, func(*Record) {})
	before := remember(t, documents, "x")
	create(t, d, "x", func(*Record) {})
	alter(t, d, "x", func(r *Record) { r.Disabled = true })
	alter(t, d, "x", func(r *Record) { r.Disabled = false })
	before.happen(t)
	disabled := alter(t, d, "x", func(r *Record) { r.Disabled = true })
	if again := newDirectory(t, documents); disabled.Epoch != 2 || again.Epoch("x") != 2 {
		t.Errorf("epoch %d, after a restart %d", disabled.Epoch, again.Epoch("x"))
	}
}

// Where one process lost its last change, and another made one in its place, the
// first sees it.
func TestChangeInPlaceOfALostOneIsSeen(t *testing.T) {
	t.Parallel()
	documents := store.NewMemory()
	one, other := newDirectory(t, documents), newDirectory(t, documents)
	create(t, one, "x", func(*Record) {})
	if err := other.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := remember(t, documents, "x")
	alter(t, one, "x", func(r *Record) { r.Name = "lost" })
	before.happen(t)
	alter(t, other, "x", func(r *Record) { r.Disabled = true })
	if err := one.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if record, _ := one.Get("x"); !record.Disabled {
		t.Error("the client is not disabled here")
	}
}
