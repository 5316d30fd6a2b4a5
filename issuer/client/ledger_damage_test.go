package client

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// An epoch never falls while the process lives: a replica that lags behind must
// not bring tokens back, and the next record puts it right.
func TestLedgerNeverGoesBack(t *testing.T) {
	t.Parallel()
	shelf := new(shelf)
	l := NewLedger(shelf)
	record(t, l, map[string]bool{"a": true})
	old := shelf.data
	record(t, l, nil)
	shelf.data = old
	if err := l.Load(t.Context()); err != nil || l.Current().Of(&Client{ID: "a"}) != 1 {
		t.Errorf("epoch %d, %v", l.Current().Of(&Client{ID: "a"}), err)
	}
	record(t, l, map[string]bool{"a": true})
	if !strings.Contains(string(shelf.data), `"a":{"epoch":1,"alive":true}`) {
		t.Errorf("%s", shelf.data)
	}
}

// An unreadable document is named, never replaced, and what was known stays.
func TestLedgerUnreadable(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", "null", "{", `{"clients":{"a":{"epoch":1}}}`} {
		store := new(shelf)
		l := NewLedger(store)
		record(t, l, map[string]bool{"a": true})
		record(t, l, nil)
		store.data = []byte(data)
		for what, err := range map[string]error{
			"load":   l.Load(t.Context()),
			"record": l.Record(t.Context(), map[string]bool{"a": true}),
		} {
			if err == nil || !strings.Contains(err.Error(), DocumentName) {
				t.Errorf("%q: %s: %v", data, what, err)
			}
		}
		if string(store.data) != data || l.Current().Of(&Client{ID: "a"}) != 1 {
			t.Errorf("%q became %q, epoch %d", data, store.data, l.Current().Of(&Client{ID: "a"}))
		}
	}
}

// What could not be stored is not in force, so that it is tried again.
func TestLedgerStoreFails(t *testing.T) {
	t.Parallel()
	store := new(shelf)
	l := NewLedger(store)
	record(t, l, map[string]bool{"a": true})
	store.failing = errors.New("disk full")
	for what, err := range map[string]error{"load": l.Load(t.Context()), "record": l.Record(t.Context(), nil)} {
		if !errors.Is(err, store.failing) || !strings.Contains(err.Error(), DocumentName) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if l.Current().Of(&Client{ID: "a"}) != 0 {
		t.Errorf("epoch %d", l.Current().Of(&Client{ID: "a"}))
	}
	store.failing = nil
	record(t, l, nil)
	if l.Current().Of(&Client{ID: "a"}) != 1 {
		t.Errorf("then: epoch %d", l.Current().Of(&Client{ID: "a"}))
	}
	if err := l.Record(t.Context(), map[string]bool{"b\n": true}); err == nil || strings.Contains(string(store.data), `b\n`) {
		t.Errorf("a client_id that is none: %v, %s", err, store.data)
	}
}

// A document that vanishes is noticed, and takes nothing with it: the next
// record writes all that is known, so that no void token comes back with the
// next start.
func TestLedgerGone(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(*Ledger, context.Context, map[string]bool) error{
		"record": (*Ledger).Record, "admit": (*Ledger).Admit,
	} {
		shelf := new(shelf)
		l := NewLedger(shelf)
		record(t, l, map[string]bool{"a": true, "b": true, "c": true})
		record(t, l, map[string]bool{"b": true, "c": true})
		whole := string(shelf.data)
		generation := l.Generation()
		shelf.data = nil
		for range 2 {
			if err := l.Load(t.Context()); !errors.Is(err, store.ErrGone) || !strings.Contains(err.Error(), DocumentName) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if l.Current().Of(&Client{ID: "a"}) != 1 || l.Generation() != generation || !l.Stored() || shelf.data != nil {
			t.Errorf("%s: epoch %d, %q", name, l.Current().Of(&Client{ID: "a"}), shelf.data)
		}
		if err := again(l, t.Context(), map[string]bool{"b": true, "c": true}); err != nil || string(shelf.data) != whole {
			t.Errorf("%s: %v, %s; expected %s", name, err, shelf.data, whole)
		}
		if err := l.Load(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A client that is removed while the document is gone loses its tokens too,
// also one that never lost some before.
func TestLedgerGoneAndRemoved(t *testing.T) {
	t.Parallel()
	shelf := new(shelf)
	record(t, NewLedger(shelf), map[string]bool{"a": true})
	l := NewLedger(shelf)
	if err := l.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	shelf.data = nil
	record(t, l, nil)
	if l.Current().Of(&Client{ID: "a"}) != 1 || !strings.Contains(string(shelf.data), `"a":{"epoch":1,"alive":false}`) {
		t.Errorf("epoch %d, %s", l.Current().Of(&Client{ID: "a"}), shelf.data)
	}
}

// Whether there is a document is known also where no client is in it: a
// document that is missing later was lost then.
func TestLedgerStored(t *testing.T) {
	t.Parallel()
	shelf := new(shelf)
	l := NewLedger(shelf)
	if err := l.Load(t.Context()); err != nil || l.Stored() {
		t.Errorf("nothing: %v, %v", l.Stored(), err)
	}
	record(t, l, nil)
	if again := NewLedger(shelf); again.Load(t.Context()) != nil || !again.Stored() || !l.Stored() {
		t.Error("an empty one is not there")
	}
}
