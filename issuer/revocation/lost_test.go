package revocation_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// Documents that vanish are noticed, and written again with all that is known. A
// start that finds a part missing does not take it for nothing.
func TestDocumentGone(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(*revocation.List, int64) error{
		"revoke": func(l *revocation.List, expires int64) error { return l.Revoke(t.Context(), "b", expires) },
		"begin":  func(l *revocation.List, _ int64) error { return l.Begin(t.Context()) },
	} {
		documents := &vanishing{Documents: store.NewMemory()}
		list, c := newList(t, documents)
		if list.Stored() {
			t.Errorf("%s: stored before it began", name)
		}
		if err := errors.Join(list.Begin(t.Context()), list.Begin(t.Context())); err != nil || !list.Stored() {
			t.Errorf("%s: nothing to restore: %v", name, err)
		}
		expires := c.now.Unix() + 60
		if err := list.Revoke(t.Context(), "a", expires); err != nil {
			t.Fatal(err)
		}
		list, _ = newList(t, documents)
		if err := list.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		documents.vanished = map[string]bool{shardDocument("a"): true}
		started, _ := newList(t, documents)
		err := started.Load(t.Context())
		if err == nil || errors.Is(err, store.ErrGone) || !strings.Contains(err.Error(), shardDocument("a")) || !started.Revoked("x") {
			t.Errorf("%s: started with a part: %v", name, err)
		}
		documents.vanished[revocation.DocumentName] = true
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

// vanishing are documents that disappear until they are written.
type vanishing struct {
	store.Documents
	vanished map[string]bool
}

func (v *vanishing) Load(ctx context.Context, name string) ([]byte, error) {
	if v.vanished[name] {
		return nil, fs.ErrNotExist
	}
	return v.Documents.Load(ctx, name)
}

func (v *vanishing) Update(ctx context.Context, name string, change func([]byte) ([]byte, error)) error {
	return v.Documents.Update(ctx, name, func(old []byte) ([]byte, error) {
		if v.vanished[name] {
			old = nil
		}
		fresh, err := change(old)
		if fresh != nil {
			delete(v.vanished, name)
		}
		return fresh, err
	})
}
