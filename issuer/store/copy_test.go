package store_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

func putText(t *testing.T, documents store.Documents, name, text string) {
	t.Helper()
	must(t, documents.Update(t.Context(), name, func([]byte) ([]byte, error) { return []byte(text), nil }))
}

// What is copied is all there and the same; what differs where it goes is not touched.
func TestCopy(t *testing.T) {
	t.Parallel()
	ctx, names := t.Context(), []string{"a.json", "b.json", "missing.json", "c.json"}
	from, to := store.NewMemory(), &failingOnce{store.NewMemory(), "c.json"}
	for _, name := range []string{"a.json", "b.json", "c.json", "not-asked-for.json"} {
		putText(t, from, name, "of "+name)
	}
	if copied, err := store.Copy(ctx, from, to, names); !errors.Is(err, errOnce) || !slices.Equal(copied, []string{"a.json", "b.json"}) {
		t.Errorf("%v, %v", copied, err)
	}
	for range 2 { // after an error, and once more
		if copied, err := store.Copy(ctx, from, to, names); err != nil || !slices.Equal(copied, []string{"a.json", "b.json", "c.json"}) {
			t.Errorf("%v, %v", copied, err)
		}
	}
	for _, name := range []string{"a.json", "b.json", "c.json"} {
		if document, err := to.Load(ctx, name); string(document) != "of "+name {
			t.Errorf("%s: %q, %v", name, document, err)
		}
	}
	if _, err := to.Load(ctx, "not-asked-for.json"); err == nil {
		t.Error("copied what nobody asked for")
	}
	putText(t, to, "b.json", "other")
	if copied, err := store.Copy(ctx, from, to, names); !errors.Is(err, store.ErrDiffers) || !slices.Equal(copied, []string{"a.json"}) {
		t.Errorf("%v, %v", copied, err)
	}
	if document, _ := to.Load(ctx, "b.json"); string(document) != "other" {
		t.Errorf("replaced: %q", document)
	}
}

// A collection whose documents of these names were copied is complete.
func TestCollectionNames(t *testing.T) {
	t.Parallel()
	from, to, ctx := store.NewMemory(), store.NewMemory(), t.Context()
	one := newHolder(from)
	keys := []string{"a", "b", "c", "d", "e", "f"}
	must(t, one.Change(ctx, keys, becomes(`1`)))
	if _, err := store.Copy(ctx, from, to, store.CollectionNames("things")); err != nil {
		t.Fatal(err)
	}
	other := newHolder(to)
	must(t, other.Load(ctx))
	mustHold(t, other, one.all())
}
