package revocation_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
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
	c.now = c.now.Add(30 * time.Second)
	if err := list.Load(t.Context()); err != nil || list.Revoked("a") || list.Len() != 0 {
		t.Errorf("kept: %v", err)
	}
}

// What cannot be read is an error that names the document; it is not replaced,
// and what was known stays in force. A start does not take it for nothing.
func TestUnreadableDocument(t *testing.T) {
	t.Parallel()
	own := shardDocument("a")
	for name, contents := range map[string][]string{
		revocation.DocumentName:       {"", "{", "{}", `{"shards":null}`, `{"shards":{"a":"b"}}`, "null", "[]", `{"shards":{"zz":1}}`},
		revocation.FormerDocumentName: {"", "{", "{}", `{"revoked":null}`, `{"revoked":{"a":"b"}}`, "null", "[]"},
		own: {
			"", "{", "{}", `{"version":9}`, "null", `{"version":9,"records":{"x":1}}`,
			`{"version":9,"records":{"` + keyOf("a") + `":-1}}`, `{"version":9,"records":{"` + keyOf("a") + `":1.5}}`,
			`{"version":9,"records":{"` + keyOf("a") + `":"1"}}`, `{"version":9,"records":{"` + keyOf("a") + `":4294967296}}`,
			`{"version":9,"records":{"` + keyOf("a") + `":null}}`,
		},
	} {
		for _, content := range contents {
			documents := store.NewMemory()
			list, c := newList(t, documents)
			if err := errors.Join(list.Revoke(t.Context(), "a", c.now.Unix()+60), list.Load(t.Context())); err != nil {
				t.Fatal(err)
			}
			set(t, documents, name, content)
			if name != own { // it is not read again before it changes
				if err := list.Load(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("%s: %q: %v", name, content, err)
				}
			} else if err := list.Revoke(t.Context(), "a", c.now.Unix()+90); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %q: %v", name, content, err)
			}
			if !list.Revoked("a") || list.Revoked("c") {
				t.Errorf("%s: %q: what was known is gone", name, content)
			}
			started, _ := newList(t, documents)
			if err := started.Load(t.Context()); err == nil || !strings.Contains(err.Error(), name) || !started.Revoked("x") {
				t.Errorf("%s: %q: a start takes it: %v", name, content, err)
			}
			if stored, err := documents.Load(t.Context(), name); err != nil || string(stored) != content {
				t.Errorf("%s: %q: replaced by %q, %v", name, content, stored, err)
			}
		}
	}
}

// A store that lags behind does not bring a token back to life, and the next
// revocation stores what it has lost.
func TestNeverGoesBack(t *testing.T) {
	t.Parallel()
	documents := store.NewMemory()
	list, c := newList(t, documents)
	for _, expires := range []int64{60, 90} {
		if err := list.Revoke(t.Context(), "a", c.now.Unix()+expires); err != nil {
			t.Fatal(err)
		}
	}
	set(t, documents, shardDocument("a"), `{"version":1,"records":{}}`)
	set(t, documents, revocation.DocumentName, `{"shards":{"`+shardDocument("a")[8:10]+`":1}}`)
	if err := list.Load(t.Context()); err != nil || !list.Revoked("a") {
		t.Errorf("went back: %v", err)
	}
}

// A later end counts, whichever came first: a revocation never becomes shorter.
func TestLaterEndCounts(t *testing.T) {
	t.Parallel()
	documents := store.NewMemory()
	list, c := newList(t, documents)
	for _, expires := range []int64{600, 60, 300} {
		if err := list.Revoke(t.Context(), "a", c.now.Unix()+expires); err != nil {
			t.Fatal(err)
		}
	}
	other, later := newList(t, documents)
	later.now = later.now.Add(599 * time.Second)
	if err := other.Load(t.Context()); err != nil || !other.Revoked("a") {
		t.Errorf("forgotten too early: %v", err)
	}
}

// keyOf is the key of a token's record: what is stored must be found by later
// versions.
func keyOf(jti string) string {
	sum := sha256.Sum256([]byte(jti))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func shardDocument(jti string) string {
	return fmt.Sprintf("%s-%02x.json", revocation.Name, store.ShardOf(keyOf(jti)))
}

// Many that are revoked at once, by several processes, are all in force and stored.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	documents := store.NewMemory()
	var running sync.WaitGroup
	for process := range 4 {
		list, c := newList(t, documents)
		running.Go(func() {
			for i := range 100 {
				jti := fmt.Sprint(process, "-", i)
				before := list.Generation()
				if err := list.Revoke(t.Context(), jti, c.now.Unix()+60); err != nil || !list.Revoked(jti) {
					t.Errorf("%s: %v", jti, err)
				}
				if i%10 == 0 {
					if err := list.Load(t.Context()); err != nil || list.Generation() <= before {
						t.Errorf("%s: %v", jti, err)
					}
				}
			}
		})
	}
	running.Wait()
	list, _ := newList(t, documents)
	if err := list.Load(t.Context()); err != nil || list.Len() != 400 {
		t.Errorf("%d, %v", list.Len(), err)
	}
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

func set(t *testing.T, documents store.Documents, name, content string) {
	t.Helper()
	err := documents.Update(t.Context(), name, func([]byte) ([]byte, error) { return []byte(content), nil })
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
