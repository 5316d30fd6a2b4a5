package client

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"sync"
	"testing"
)

// shelf is a [Documents] that keeps one document and counts writes.
type shelf struct {
	mu      sync.Mutex
	data    []byte // nil: missing
	writes  int
	failing error // of Load and of storing
	retries int   // so often change is called in vain, as a store does that lost a race
}

func (s *shelf) Load(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case name != DocumentName:
		return nil, errors.New("wrong name " + name)
	case s.failing != nil:
		return nil, s.failing
	case s.data == nil:
		return nil, fs.ErrNotExist
	}
	return bytes.Clone(s.data), nil
}

func (s *shelf) Update(_ context.Context, name string, change func(old []byte) ([]byte, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name != DocumentName {
		return errors.New("wrong name " + name)
	}
	for range s.retries {
		if _, err := change(bytes.Clone(s.data)); err != nil {
			return err
		}
	}
	changed, err := change(bytes.Clone(s.data))
	if err != nil || changed == nil {
		return err
	}
	if s.failing != nil {
		return s.failing
	}
	s.data, s.writes = changed, s.writes+1
	return nil
}

func record(t *testing.T, l *Ledger, alive map[string]bool) {
	t.Helper()
	if err := l.Record(t.Context(), alive); err != nil {
		t.Fatal(err)
	}
}

// Each time a client is disabled or removed it enters a new epoch, once, and
// enabling it brings none of the earlier ones back.
func TestLedgerEpochs(t *testing.T) {
	t.Parallel()
	store := new(shelf)
	l := NewLedger(store)
	for i, step := range []struct {
		alive  map[string]bool
		a, b   uint64
		writes int
	}{
		{map[string]bool{}, 0, 0, 1},
		{map[string]bool{"a": true, "b": false}, 0, 0, 2},
		{map[string]bool{"a": true, "b": false}, 0, 0, 2},
		{map[string]bool{"a": false, "b": true}, 1, 0, 3},
		{map[string]bool{"a": false, "b": true}, 1, 0, 3}, // exactly once
		{map[string]bool{"a": true, "b": true}, 1, 0, 4},
		{map[string]bool{"b": true}, 2, 0, 5}, // removed
		{map[string]bool{"b": true}, 2, 0, 5},
		{map[string]bool{"a": false, "b": true}, 2, 0, 5}, // made again, disabled
		{map[string]bool{"a": true, "b": true}, 2, 0, 6},
		{map[string]bool{}, 3, 1, 7},
	} {
		before := l.Generation()
		a, b := l.Current().Of(&Client{ID: "a"}), l.Current().Of(&Client{ID: "b"})
		record(t, l, step.alive)
		if l.Current().Of(&Client{ID: "a"}) != step.a || l.Current().Of(&Client{ID: "b"}) != step.b || store.writes != step.writes {
			t.Errorf("step %d: epochs %d and %d, %d writes; expected %d, %d, %d", i, l.Current().Of(&Client{ID: "a"}), l.Current().Of(&Client{ID: "b"}), store.writes, step.a, step.b, step.writes)
		}
		changed := i == 0 || a != l.Current().Of(&Client{ID: "a"}) || b != l.Current().Of(&Client{ID: "b"})
		if (l.Generation() != before) != changed {
			t.Errorf("step %d: generation %d after %d, changed: %v", i, l.Generation(), before, changed)
		}
		again := NewLedger(store)
		if err := again.Load(t.Context()); err != nil || again.Current().Of(&Client{ID: "a"}) != step.a || again.Current().Of(&Client{ID: "b"}) != step.b {
			t.Errorf("step %d: read again: %d, %d, %v", i, again.Current().Of(&Client{ID: "a"}), again.Current().Of(&Client{ID: "b"}), err)
		}
	}
	const want = `{"clients":{"a":{"epoch":3,"alive":false},"b":{"epoch":1,"alive":false}}}`
	if string(store.data) != want {
		t.Errorf("%s", store.data)
	}
}

// A store that tries an update again does not make two epochs of one.
func TestLedgerUpdateIsRetried(t *testing.T) {
	t.Parallel()
	store := &shelf{retries: 3}
	l := NewLedger(store)
	record(t, l, map[string]bool{"a": true})
	record(t, l, nil)
	if l.Current().Of(&Client{ID: "a"}) != 1 {
		t.Errorf("epoch %d", l.Current().Of(&Client{ID: "a"}))
	}
}

// What another process recorded counts, from the next reading on; what it
// changed meanwhile is not overwritten.
func TestLedgerShared(t *testing.T) {
	t.Parallel()
	store := new(shelf)
	one, two := NewLedger(store), NewLedger(store)
	record(t, one, map[string]bool{"a": true, "b": true})
	if err := two.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	record(t, one, map[string]bool{"b": true})
	record(t, two, map[string]bool{"b": true})
	if one.Current().Of(&Client{ID: "a"}) != 1 || two.Current().Of(&Client{ID: "a"}) != 1 {
		t.Errorf("epochs %d and %d", one.Current().Of(&Client{ID: "a"}), two.Current().Of(&Client{ID: "a"}))
	}
}

// Requests read epochs while a reload writes them.
func TestLedgerConcurrently(t *testing.T) {
	t.Parallel()
	l := NewLedger(new(shelf))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			var last uint64
			for range 200 {
				now := l.Current().Of(&Client{ID: "a"})
				if now < last {
					t.Error("an epoch fell")
				}
				last = now
			}
		})
		group.Go(func() {
			for i := range 20 {
				if err := errors.Join(l.Record(t.Context(), map[string]bool{"a": i%2 == 0}), l.Load(t.Context())); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

// A configuration that may yet fail takes nothing from the clients of the one
// in force; what it brings is noted.
func TestLedgerAdmits(t *testing.T) {
	t.Parallel()
	ledger := NewLedger(&shelf{})
	for _, step := range []struct {
		change func(context.Context, map[string]bool) error
		alive  map[string]bool
		a, b   uint64
	}{
		{ledger.Record, map[string]bool{"a": true}, 0, 0},
		{ledger.Admit, map[string]bool{"b": true}, 0, 0},             // tried, and failed
		{ledger.Record, map[string]bool{"a": true}, 0, 1},            // b had no tokens to lose
		{ledger.Admit, map[string]bool{"a": false, "b": true}, 0, 1}, // tried, and in force
		{ledger.Record, map[string]bool{"a": false, "b": true}, 1, 1},
	} {
		if err := step.change(t.Context(), step.alive); err != nil {
			t.Fatal(err)
		}
		if a, b := ledger.Current().Of(&Client{ID: "a"}), ledger.Current().Of(&Client{ID: "b"}); a != step.a || b != step.b {
			t.Fatalf("after %v: a %d, b %d", step.alive, a, b)
		}
	}
}

// What is read again as it was is not decoded again, and no change is missed for it:
// neither one of this process nor one of another, nor a document that went back.
func TestLedgerReadsWhatChanged(t *testing.T) { // not beside others: allocations are counted
	const one, two = `{"clients":{"a":{"epoch":1,"alive":true}}}`, `{"clients":{"a":{"epoch":2,"alive":true}}}`
	documents := &shelf{data: []byte(one)}
	l := NewLedger(documents)
	load := func(want uint64) {
		t.Helper()
		for range 2 {
			if err := l.Load(t.Context()); err != nil || l.Current().Of(&Client{ID: "a"}) != want {
				t.Errorf("%v, epoch %d, expected %d", err, l.Current().Of(&Client{ID: "a"}), want)
			}
		}
	}
	load(1)
	allocated := testing.AllocsPerRun(10, func() { _ = l.Load(t.Context()) })
	documents.data = []byte(two)
	load(2)
	documents.data = []byte(one) // put back from a backup: what was void stays so
	load(2)
	record(t, l, nil)
	load(3)
	documents.data = []byte("?")
	if err := l.Load(t.Context()); err == nil {
		t.Error("read what is damaged")
	}
	if allocated > 2 {
		t.Errorf("reading the same again takes %v allocations", allocated)
	}
}

// The ledger says which documents must be there beside it, from when it is written on
// and also where it is written by who knows of fewer: one that is missing was lost.
func TestLedgerPromises(t *testing.T) {
	t.Parallel()
	documents := &shelf{data: []byte(`{"clients":{}}`)}
	promises := func(l *Ledger, want bool) {
		t.Helper()
		for _, name := range []string{"a.json", "b.json"} {
			if got := l.Promises(name); got != want {
				t.Errorf("%s: %v, expected %v, in %s", name, got, want, documents.data)
			}
		}
	}
	l := NewLedger(documents, "b.json", "a.json")
	promises(l, false)
	if err := l.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Admit(t.Context(), map[string]bool{"x": true}); err != nil {
		t.Fatal(err)
	}
	promises(l, true)
	other := NewLedger(documents)
	promises(other, false)
	record(t, other, map[string]bool{"x": true})
	promises(other, true)
	written := documents.writes
	record(t, l, map[string]bool{"x": true})
	if documents.writes != written || l.Promises("c.json") {
		t.Errorf("written for nothing: %s", documents.data)
	}
}
