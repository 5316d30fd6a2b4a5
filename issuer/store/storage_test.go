package store_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// backend is a storage whose steps a test can break.
type backend struct {
	steps     []string // what was called, and whether its context had ended
	content   []byte
	loadErr   error
	storeErr  error
	lockErr   error
	unlockErr error
	never     bool // the lock does not come free
	missing   bool // nothing is stored
}

func (b *backend) note(ctx context.Context, step string) {
	if ctx.Err() != nil {
		step += " with an ended context"
	}
	b.steps = append(b.steps, step)
}

func (b *backend) Load(ctx context.Context, _ string) ([]byte, error) {
	b.note(ctx, "load")
	if b.missing {
		return nil, fs.ErrNotExist
	}
	return b.content, b.loadErr
}

func (b *backend) Store(ctx context.Context, _ string, value []byte) error {
	b.note(ctx, "store")
	if b.storeErr == nil {
		b.content, b.missing = value, false
	}
	return b.storeErr
}

func (b *backend) Lock(ctx context.Context, _ string) error {
	b.note(ctx, "lock")
	if b.never {
		<-ctx.Done()
		return ctx.Err()
	}
	return b.lockErr
}

func (b *backend) Unlock(ctx context.Context, _ string) error {
	b.note(ctx, "unlock")
	return b.unlockErr
}

func TestStorageFailures(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is on fire")
	tests := []struct {
		name    string
		backend backend
		steps   string
		content string
	}{
		{"the lock cannot be taken", backend{content: []byte("old"), lockErr: broken}, "lock", "old"},
		{"the document cannot be read", backend{content: []byte("old"), loadErr: broken}, "lock load unlock", "old"},
		{"the document cannot be stored", backend{content: []byte("old"), storeErr: broken}, "lock load store unlock", "old"},
		{"the lock cannot be released", backend{content: []byte("old"), unlockErr: broken}, "lock load store unlock", "new"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := test.backend
			err := store.OverStorage(&b, prefix).Update(t.Context(), "keys.json", func([]byte) ([]byte, error) {
				return []byte("new"), nil
			})
			if !errors.Is(err, broken) || !strings.Contains(err.Error(), prefix+"/keys.json") {
				t.Errorf("error %v: expected the backend's, and the document's name", err)
			}
			if steps := strings.Join(b.steps, " "); steps != test.steps {
				t.Errorf("steps %q, expected %q", steps, test.steps)
			}
			if string(b.content) != test.content {
				t.Errorf("content %q, expected %q", b.content, test.content)
			}
		})
	}
}

// A backend that answers nil for a document without content does not make it
// a missing one.
func TestNilContentIsNotMissing(t *testing.T) {
	t.Parallel()
	err := store.OverStorage(new(backend), prefix).Update(t.Context(), "keys.json", func(old []byte) ([]byte, error) {
		if old == nil {
			t.Error("an empty document is given as a missing one")
		}
		return nil, nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestUnlockOutlivesTheCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	b := backend{content: []byte("old")}
	err := store.OverStorage(&b, prefix).Update(ctx, "keys.json", func([]byte) ([]byte, error) {
		cancel()
		return nil, nil
	})
	if steps := strings.Join(b.steps, ", "); err != nil || steps != "lock, load, unlock" {
		t.Errorf("steps %q, error %v: expected an unlock whose context has not ended", steps, err)
	}
}

func TestWaitingForTheLockEnds(t *testing.T) {
	t.Parallel()
	unchanged := func([]byte) ([]byte, error) {
		t.Error("change ran without the lock")
		return nil, nil
	}
	t.Run("held by another process", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			started := time.Now()
			err := store.OverStorage(&backend{never: true}, prefix).Update(t.Context(), "keys.json", unchanged)
			expectTimeout(t, err, started)
		})
	})
	for name, open := range map[string]func() store.Documents{
		"held in this process": func() store.Documents { return store.OverStorage(new(backend), prefix) },
		"held in memory":       func() store.Documents { return store.NewMemory() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				documents := open()
				_ = documents.Update(t.Context(), "keys.json", func([]byte) ([]byte, error) {
					started := time.Now()
					expectTimeout(t, documents.Update(t.Context(), "keys.json", unchanged), started)
					return nil, nil
				})
			})
		})
	}
}

func expectTimeout(t *testing.T, err error, started time.Time) {
	t.Helper()
	if waited := time.Since(started); !errors.Is(err, store.ErrLocked) || waited != store.LockTimeout {
		t.Errorf("after %v: %v; expected store.ErrLocked after %v", waited, err, store.LockTimeout)
	}
}

// The limit is for waiting alone: a change that takes its time keeps the lock.
func TestSlowChangeKeepsTheLock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := locksByContext{backend: backend{content: []byte("old")}}
		err := store.OverStorage(&b, prefix).Update(t.Context(), "keys.json", func([]byte) ([]byte, error) {
			time.Sleep(2 * store.LockTimeout)
			if b.lock.Err() != nil {
				t.Error("the context of the lock ended while the change was running")
			}
			return nil, nil
		})
		if err != nil {
			t.Error(err)
		}
		if b.lock.Err() == nil {
			t.Error("the context of the lock was not released")
		}
	})
}

// locksByContext remembers the context that the lock was taken with, as a
// backend with leases does.
type locksByContext struct {
	backend
	lock context.Context
}

func (b *locksByContext) Lock(ctx context.Context, _ string) error {
	b.lock = ctx
	return nil
}
