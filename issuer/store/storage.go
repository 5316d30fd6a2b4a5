package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// Backend is what a document store needs of a key-value storage with locks.
// Every certmagic.Storage, and so whatever Caddy is configured to store in, is
// one. Load's error of a missing key is fs.ErrNotExist.
type Backend interface {
	Load(ctx context.Context, key string) ([]byte, error)
	Store(ctx context.Context, key string, value []byte) error
	Lock(ctx context.Context, name string) error
	Unlock(ctx context.Context, name string) error
}

// Storage keeps documents in a [Backend].
type Storage struct {
	backend Backend
	prefix  string

	// Those of this process line up here first: a backend's lock is polled, and
	// a dozen who poll for it would starve each other for seconds.
	queue Queue
}

// OverStorage returns the documents that are kept in backend under prefix (see
// [Prefix]), which has no slash at its ends.
func OverStorage(backend Backend, prefix string) *Storage {
	return &Storage{backend: backend, prefix: prefix}
}

// Load implements [Documents].
func (s *Storage) Load(ctx context.Context, name string) ([]byte, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	document, err := s.read(ctx, s.key(name))
	if err == nil && document == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("document %q: %w", s.key(name), err)
	}
	return document, nil
}

// Update implements [Documents].
func (s *Storage) Update(ctx context.Context, name string, change func(old []byte) ([]byte, error)) (err error) {
	if err := CheckName(name); err != nil {
		return err
	}
	key := s.key(name)
	unlock, err := s.lock(ctx, key)
	if err != nil {
		return fmt.Errorf("document %q: waiting for the lock: %w", key, err)
	}
	defer func() {
		if failed := unlock(); failed != nil {
			err = errors.Join(err, fmt.Errorf("document %q: releasing the lock: %w", key, failed))
		}
	}()

	old, err := s.read(ctx, key)
	if err != nil {
		return fmt.Errorf("document %q: %w", key, err)
	}
	document, err := change(old)
	if err != nil || document == nil {
		return err
	}
	if err := s.backend.Store(ctx, key, document); err != nil {
		return fmt.Errorf("document %q: storing: %w", key, err)
	}
	return nil
}

// lock waits for this process's turn and then for the backend's lock. unlock
// must be called after a nil error.
func (s *Storage) lock(ctx context.Context, key string) (unlock func() error, err error) {
	waiting, acquired, done := patience(ctx)
	leave, err := s.queue.Enter(waiting, key)
	if err != nil {
		done()
		return nil, err
	}
	if err := s.acquire(waiting, key); err != nil {
		leave()
		done()
		return nil, err
	}
	acquired()
	return func() error {
		defer done()
		defer leave()
		// A caller that has gone away must not leave the lock behind: everyone
		// else would wait until it counts as abandoned.
		return s.backend.Unlock(context.WithoutCancel(ctx), key)
	}, nil
}

func (s *Storage) acquire(waiting context.Context, key string) error {
	// Some backends look at the context only while they wait.
	if waiting.Err() != nil {
		return context.Cause(waiting)
	}
	err := s.backend.Lock(waiting, key)
	if err != nil && waiting.Err() != nil {
		return context.Cause(waiting)
	}
	return err
}

// read returns nil without an error where the document is missing. One without
// content (a crash may truncate a file) is never taken for a missing one: keys
// would be replaced silently.
func (s *Storage) read(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	document, err := s.backend.Load(ctx, key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case document == nil:
		return []byte{}, nil
	}
	return document, nil
}

func (s *Storage) key(name string) string { return s.prefix + "/" + name }
