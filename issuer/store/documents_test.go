package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/caddyserver/certmagic"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/storetest"
)

const prefix = "oauth2/api.example.com-0123456789abcdef"

// What Caddy is configured to store in can be handed over as it is.
var _ store.Backend = certmagic.Storage(nil)

func TestMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Documents { return store.NewMemory() })
}

func TestStorageOverFiles(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Documents {
		return store.OverStorage(&certmagic.FileStorage{Path: t.TempDir()}, prefix)
	})
}

// Private keys are in these files: nobody else on the machine may read them.
func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	documents := store.OverStorage(&certmagic.FileStorage{Path: folder}, prefix)
	for _, content := range []string{"made", "replaced"} {
		put(t, documents, content)
		file := filepath.Join(folder, filepath.FromSlash(prefix), "keys.json")
		expectMode(t, file, 0o600)
		expectMode(t, filepath.Dir(file), 0o700)
	}
	leftovers, err := os.ReadDir(filepath.Join(folder, "locks"))
	if err != nil || len(leftovers) != 0 {
		t.Errorf("locks left behind: %v, %v", leftovers, err)
	}
}

func expectMode(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != mode {
		t.Errorf("mode of %s: %o, expected %o", filepath.Base(path), got, mode)
	}
}

// Two processes on one folder: neither overwrites what the other one stored.
func TestTwoInstancesOnOneFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	instances := [2]*store.Storage{}
	for i := range instances {
		instances[i] = store.OverStorage(&certmagic.FileStorage{Path: folder}, prefix)
	}
	result := make(chan error)
	for _, documents := range instances {
		go func() {
			var failed error
			for range 3 {
				failed = errors.Join(failed, documents.Update(t.Context(), "keys.json", func(old []byte) ([]byte, error) {
					return append(old, 'x'), nil
				}))
			}
			result <- failed
		}()
	}
	if err := errors.Join(<-result, <-result); err != nil {
		t.Fatal(err)
	}
	for _, documents := range instances {
		if content := load(t, documents); content != "xxxxxx" {
			t.Errorf("content %q, expected six changes", content)
		}
	}
}

// A process that was killed while it held the lock stops nobody for good.
func TestAbandonedLockIsBroken(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	lock := filepath.Join(folder, "locks", certmagic.StorageKeys.Safe(prefix+"/keys.json")+".lock")
	if err := os.MkdirAll(filepath.Dir(lock), 0o700); err != nil {
		t.Fatal(err)
	}
	const old = `{"created":"2020-01-01T00:00:00Z","updated":"2020-01-01T00:00:00Z"}`
	if err := os.WriteFile(lock, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, store.OverStorage(&certmagic.FileStorage{Path: folder}, prefix), "stored")
}

func put(t *testing.T, documents store.Documents, content string) {
	t.Helper()
	err := documents.Update(t.Context(), "keys.json", func([]byte) ([]byte, error) { return []byte(content), nil })
	if err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, documents store.Documents) string {
	t.Helper()
	content, err := documents.Load(t.Context(), "keys.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
