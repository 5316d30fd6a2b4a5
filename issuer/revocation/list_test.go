package revocation_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newList(t *testing.T, documents store.Documents) (*revocation.List, *clock) {
	t.Helper()
	c := &clock{now: time.Unix(1_800_000_000, 0)}
	list := revocation.NewList(documents, c.Now)
	return list, c
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	documents := store.NewMemory()
	list, c := newList(t, documents)
	if !list.Revoked("a") {
		t.Error("vouches for a token before anything was read")
	}
	if err := list.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list.Revoked("a") {
		t.Error("an empty list has it")
	}
	before := list.Generation()
	if err := list.Revoke(t.Context(), "a", c.now.Unix()+60); err != nil {
		t.Fatal(err)
	}
	if !list.Revoked("a") || list.Revoked("b") || list.Generation() <= before {
		t.Error("not in force at once")
	}
	// Another process, or this one after a restart.
	other, _ := newList(t, documents)
	if err := other.Load(t.Context()); err != nil || !other.Revoked("a") {
		t.Errorf("not stored: %v", err)
	}
}

// A list does not grow for ever, and does not forget a token that a gate's
// leeway still lets pass.
func TestExpiredRevocationsGo(t *testing.T) {
	t.Parallel()
	list, c := newList(t, store.NewMemory())
	if err := list.Revoke(t.Context(), "a", c.now.Unix()); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(60 * time.Second)
	if err := list.Load(t.Context()); err != nil || !list.Revoked("a") {
		t.Errorf("forgotten too early: %v", err)
	}
	c.now = c.now.Add(time.Second)
	if err := list.Load(t.Context()); err != nil || list.Revoked("a") {
		t.Errorf("kept: %v", err)
	}
}

// What cannot be read is an error that names the document; it is not replaced,
// and what was known stays in force.
func TestUnreadableDocument(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "{", "{}", `{"revoked":null}`, `{"revoked":{"a":"b"}}`, "null", "[]"} {
		documents := store.NewMemory()
		list, c := newList(t, documents)
		if err := list.Revoke(t.Context(), "a", c.now.Unix()+60); err != nil {
			t.Fatal(err)
		}
		set(t, documents, content)
		if err := list.Load(t.Context()); err == nil {
			t.Errorf("%q: no error", content)
		}
		if err := list.Revoke(t.Context(), "b", c.now.Unix()+60); err == nil {
			t.Errorf("%q: replaced", content)
		}
		if !list.Revoked("a") || list.Revoked("b") {
			t.Errorf("%q: what was known is gone, or what failed counts", content)
		}
	}
}

// A store that lags behind does not bring a token back to life.
func TestNeverGoesBack(t *testing.T) {
	t.Parallel()
	documents := store.NewMemory()
	list, c := newList(t, documents)
	if err := list.Revoke(t.Context(), "a", c.now.Unix()+60); err != nil {
		t.Fatal(err)
	}
	set(t, documents, `{"revoked":{}}`)
	if err := list.Load(t.Context()); err != nil || !list.Revoked("a") {
		t.Errorf("went back: %v", err)
	}
}

// A document that vanishes is noticed, and written again with all that is known.
func TestDocumentGone(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(*revocation.List, int64) error{
		"revoke":  func(l *revocation.List, expires int64) error { return l.Revoke(t.Context(), "b", expires) },
		"restore": func(l *revocation.List, _ int64) error { return l.Restore(t.Context()) },
	} {
		documents := store.NewMemory()
		list, c := newList(t, documents)
		if err := list.Restore(t.Context()); err != nil {
			t.Errorf("%s: nothing to restore: %v", name, err)
		}
		if _, err := documents.Load(t.Context(), revocation.DocumentName); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: restored what never was: %v", name, err)
		}
		expires := c.now.Unix() + 60
		if err := list.Revoke(t.Context(), "a", expires); err != nil {
			t.Fatal(err)
		}
		gone := &vanished{Documents: documents}
		list = revocation.NewList(gone, c.Now)
		if err := list.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		gone.missing = true
		if err := list.Load(t.Context()); !errors.Is(err, store.ErrGone) || !strings.Contains(err.Error(), revocation.DocumentName) || !list.Revoked("a") {
			t.Errorf("%s: %v", name, err)
		}
		if err := again(list, expires); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		other, _ := newList(t, documents)
		if err := other.Load(t.Context()); err != nil || !other.Revoked("a") || other.Revoked("b") != (name == "revoke") {
			t.Errorf("%s: not written again: %v", name, err)
		}
	}
}

// vanished are documents that disappear until one is written.
type vanished struct {
	store.Documents
	missing bool
}

func (v *vanished) Load(ctx context.Context, name string) ([]byte, error) {
	if v.missing {
		return nil, fs.ErrNotExist
	}
	return v.Documents.Load(ctx, name)
}

func (v *vanished) Update(ctx context.Context, name string, change func([]byte) ([]byte, error)) error {
	return v.Documents.Update(ctx, name, func(old []byte) ([]byte, error) {
		if v.missing {
			old = nil
		}
		fresh, err := change(old)
		v.missing = v.missing && fresh == nil
		return fresh, err
	})
}

func TestStoreFails(t *testing.T) {
	t.Parallel()
	list, c := newList(t, failing{})
	if err := list.Revoke(t.Context(), "a", c.now.Unix()+60); !errors.Is(err, errDisk) {
		t.Errorf("got %v", err)
	}
}

var errDisk = errors.New("the disk is full")

type failing struct{}

func (failing) Load(context.Context, string) ([]byte, error) { return nil, errDisk }
func (failing) Update(context.Context, string, func([]byte) ([]byte, error)) error {
	return errDisk
}

func set(t *testing.T, documents store.Documents, content string) {
	t.Helper()
	err := documents.Update(t.Context(), revocation.DocumentName, func([]byte) ([]byte, error) { return []byte(content), nil })
	if err != nil {
		t.Fatal(err)
	}
}

// Len counts what is remembered, and forgets what has expired with the next change.
func TestLen(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	list := revocation.NewList(store.NewMemory(), func() time.Time { return now })
	if list.Len() != 0 {
		t.Error("nothing was loaded")
	}
	for i, jti := range []string{"a", "b", "a"} {
		if err := list.Revoke(t.Context(), jti, now.Unix()+60); err != nil {
			t.Fatal(err)
		}
		if want := min(i+1, 2); list.Len() != want {
			t.Errorf("%d, expected %d", list.Len(), want)
		}
	}
	now = now.Add(time.Hour)
	if err := list.Revoke(t.Context(), "c", now.Unix()+60); err != nil || list.Len() != 1 {
		t.Errorf("%d %v", list.Len(), err)
	}
}
