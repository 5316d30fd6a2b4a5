package revocation_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// What an earlier version stored is in force until it has expired, also after what
// is stored since; nothing is written for that. Where it vanishes, it is stored.
func TestFormerDocument(t *testing.T) {
	t.Parallel()
	documents := &vanishing{Documents: store.NewMemory()}
	list, c := newList(t, documents)
	content := fmt.Sprintf(`{"revoked":{"old":%d,"older":%d}}`, c.now.Unix()+60, c.now.Unix()-61)
	set(t, documents, revocation.FormerDocumentName, content)
	if err := list.Load(t.Context()); err != nil || !list.Revoked("old") || list.Revoked("older") || list.Len() != 1 {
		t.Fatalf("not in force: %v", err)
	}
	if _, err := documents.Load(t.Context(), revocation.DocumentName); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
	generation := list.Generation()
	if err := list.Load(t.Context()); err != nil || list.Generation() != generation {
		t.Errorf("the same document is a change: %v", err)
	}
	if err := list.Revoke(t.Context(), "new", c.now.Unix()+60); err != nil {
		t.Fatal(err)
	}
	other, _ := newList(t, documents)
	if err := other.Load(t.Context()); err != nil || !other.Revoked("old") || !other.Revoked("new") {
		t.Errorf("a start forgets: %v", err)
	}
	if stored, err := documents.Load(t.Context(), revocation.FormerDocumentName); err != nil || string(stored) != content {
		t.Errorf("it became %q, %v", stored, err)
	}

	documents.vanished = map[string]bool{revocation.FormerDocumentName: true}
	if err := list.Load(t.Context()); !errors.Is(err, store.ErrGone) || !strings.Contains(err.Error(), revocation.FormerDocumentName) {
		t.Errorf("not noticed: %v", err)
	}
	if err := errors.Join(list.Begin(t.Context()), list.Load(t.Context())); err != nil {
		t.Error(err)
	}
	other, _ = newList(t, documents)
	if err := other.Load(t.Context()); err != nil || !other.Revoked("old") || !other.Revoked("new") {
		t.Errorf("lost: %v", err)
	}
}

// When its last token has expired, it can be removed.
func TestFormerDocumentCanGo(t *testing.T) {
	t.Parallel()
	documents := &vanishing{Documents: store.NewMemory()}
	list, c := newList(t, documents)
	set(t, documents, revocation.FormerDocumentName, fmt.Sprintf(`{"revoked":{"old":%d}}`, c.now.Unix()+60))
	if err := list.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	documents.vanished = map[string]bool{revocation.FormerDocumentName: true}
	c.now = c.now.Add(121 * time.Second)
	if err := list.Load(t.Context()); err != nil || list.Revoked("old") {
		t.Errorf("missed: %v", err)
	}
}
