// Package storetest holds the contracts of store.Documents and store.Marks as
// tests, for every place where they can be kept.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// name is the document that the tests use where one is enough.
const name = "keys.json"

// Run tests an implementation. open returns an empty store each time that it
// is called.
func Run(t *testing.T, open func(t *testing.T) store.Documents) {
	tests := []struct {
		name string
		run  func(t *testing.T, documents store.Documents)
	}{
		{"a missing document", missing},
		{"an update is loaded", updated},
		{"a nil result leaves the document", leftAlone},
		{"an error leaves the document", failed},
		{"a panic releases the lock", panicked},
		{"an empty document is not a missing one", empty},
		{"concurrent updates lose nothing", concurrent},
		{"documents do not wait for each other", independent},
		{"names are kept apart", apart},
		{"bytes are not shared", unshared},
		{"a big document", big},
		{"a cancelled context", cancelled},
		{"waiting ends with the context", impatient},
		{"a context that ends during the change", abandoned},
		{"names that no file system should see", badNames},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

func missing(t *testing.T, documents store.Documents) {
	document, err := documents.Load(t.Context(), name)
	if document != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load of a missing document: %q, %v; expected nil and fs.ErrNotExist", document, err)
	}
	update(t, documents, name, func(old []byte) ([]byte, error) {
		if old != nil {
			t.Errorf("Update of a missing document: old is %q, expected nil", old)
		}
		return nil, nil
	})
	if _, err := documents.Load(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a nil result made the document: %v", err)
	}
}

func updated(t *testing.T, documents store.Documents) {
	put(t, documents, name, "one")
	expect(t, documents, name, "one")
	update(t, documents, name, func(old []byte) ([]byte, error) {
		return append(old, " two"...), nil
	})
	expect(t, documents, name, "one two")
}

func leftAlone(t *testing.T, documents store.Documents) {
	put(t, documents, name, "kept")
	update(t, documents, name, func([]byte) ([]byte, error) { return nil, nil })
	expect(t, documents, name, "kept")
}

func failed(t *testing.T, documents store.Documents) {
	put(t, documents, name, "kept")
	refused := errors.New("refused")
	err := documents.Update(t.Context(), name, func([]byte) ([]byte, error) { return []byte("lost"), refused })
	if !errors.Is(err, refused) {
		t.Errorf("Update returned %v, expected the error of change", err)
	}
	expect(t, documents, name, "kept")
	put(t, documents, name, "the lock is free again")
}

func panicked(t *testing.T, documents store.Documents) {
	put(t, documents, name, "kept")
	func() {
		defer func() { _ = recover() }()
		_ = documents.Update(t.Context(), name, func([]byte) ([]byte, error) { panic(t.Name()) })
	}()
	expect(t, documents, name, "kept")
	put(t, documents, name, "the lock is free again")
}

// A truncated file must stop the load, not start a new life.
func empty(t *testing.T, documents store.Documents) {
	put(t, documents, name, "")
	document, err := documents.Load(t.Context(), name)
	if err != nil || document == nil || len(document) != 0 {
		t.Errorf("Load of an empty document: %#v, %v; expected empty bytes and no error", document, err)
	}
	update(t, documents, name, func(old []byte) ([]byte, error) {
		if old == nil {
			t.Error("Update: an empty document is given as a missing one")
		}
		return nil, nil
	})
}

func concurrent(t *testing.T, documents store.Documents) {
	const writers, rounds = 8, 5
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for range rounds {
				update(t, documents, name, func(old []byte) ([]byte, error) {
					count, _ := strconv.Atoi(string(old))
					return strconv.AppendInt(nil, int64(count)+1, 10), nil
				})
			}
		})
	}
	group.Wait()
	expect(t, documents, name, strconv.Itoa(writers*rounds))
}

func independent(t *testing.T, documents store.Documents) {
	update(t, documents, name, func([]byte) ([]byte, error) {
		put(t, documents, "other.json", "other")
		return []byte("outer"), nil
	})
	expect(t, documents, name, "outer")
	expect(t, documents, "other.json", "other")
}

func apart(t *testing.T, documents store.Documents) {
	names := []string{"keys.json", "keys.jso", "keys", "keys-json", "keys_json", "keysjson", "0keys.json"}
	for _, name := range names {
		put(t, documents, name, "content of "+name)
	}
	for _, name := range names {
		expect(t, documents, name, "content of "+name)
	}
}

func unshared(t *testing.T, documents store.Documents) {
	mine := []byte("original")
	update(t, documents, name, func([]byte) ([]byte, error) { return mine, nil })
	mine[0] = 'X'
	expect(t, documents, name, "original")
	loaded, err := documents.Load(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	loaded[0] = 'X'
	update(t, documents, name, func(old []byte) ([]byte, error) {
		old[0] = 'X'
		return nil, nil
	})
	expect(t, documents, name, "original")
}

func big(t *testing.T, documents store.Documents) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 4<<20/16)
	update(t, documents, name, func([]byte) ([]byte, error) { return content, nil })
	loaded, err := documents.Load(t.Context(), name)
	if err != nil || !bytes.Equal(loaded, content) {
		t.Errorf("Load of %d bytes: %d bytes, %v", len(content), len(loaded), err)
	}
}

func cancelled(t *testing.T, documents store.Documents) {
	put(t, documents, name, "kept")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := documents.Load(ctx, name); !errors.Is(err, context.Canceled) {
		t.Errorf("Load: %v, expected context.Canceled", err)
	}
	err := documents.Update(ctx, name, func([]byte) ([]byte, error) {
		t.Error("change ran although the context was cancelled before")
		return []byte("lost"), nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update: %v, expected context.Canceled", err)
	}
	expect(t, documents, name, "kept")
}

func impatient(t *testing.T, documents store.Documents) {
	update(t, documents, name, func([]byte) ([]byte, error) {
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() {
			result <- documents.Update(ctx, name, func([]byte) ([]byte, error) {
				return nil, errors.New("two changes of a document at once")
			})
		}()
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("Update while another one runs: %v, expected context.Canceled", err)
		}
		return []byte("first"), nil
	})
	expect(t, documents, name, "first")
}

// The lock of a caller that has gone away must not stay behind.
func abandoned(t *testing.T, documents store.Documents) {
	ctx, cancel := context.WithCancel(t.Context())
	_ = documents.Update(ctx, name, func([]byte) ([]byte, error) {
		cancel()
		return []byte("first"), nil
	})
	put(t, documents, name, "second")
	expect(t, documents, name, "second")
}

func badNames(t *testing.T, documents store.Documents) {
	bad := []string{"", ".", "..", ".hidden", "../keys.json", "a/b", `a\b`, "KEYS.json", "keys json", "kéys", "a\x00b", "-a", "a\n"}
	for _, name := range bad {
		if document, err := documents.Load(t.Context(), name); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Load(%q): %q, %v; expected the name to be refused", name, document, err)
		}
		err := documents.Update(t.Context(), name, func([]byte) ([]byte, error) {
			t.Errorf("Update(%q): change ran", name)
			return nil, nil
		})
		if err == nil {
			t.Errorf("Update(%q): expected the name to be refused", name)
		}
	}
}

func put(t *testing.T, documents store.Documents, name, content string) {
	t.Helper()
	update(t, documents, name, func([]byte) ([]byte, error) { return []byte(content), nil })
}

func update(t *testing.T, documents store.Documents, name string, change func([]byte) ([]byte, error)) {
	t.Helper()
	if err := documents.Update(t.Context(), name, change); err != nil {
		t.Error(fmt.Errorf("Update(%q): %w", name, err))
	}
}

func expect(t *testing.T, documents store.Documents, name, content string) {
	t.Helper()
	document, err := documents.Load(t.Context(), name)
	if err != nil || string(document) != content {
		t.Errorf("Load(%q): %q, %v; expected %q", name, document, err, content)
	}
}
