package store

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"sync"
)

// Memory keeps documents in the process: for tests, and for an issuer whose
// tokens need not outlive it.
type Memory struct {
	queue     Queue
	mu        sync.Mutex
	documents map[string][]byte
}

// NewMemory returns an empty place for documents.
func NewMemory() *Memory { return &Memory{documents: make(map[string][]byte)} }

// Load implements [Documents].
func (m *Memory) Load(ctx context.Context, name string) ([]byte, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("document %q: %w", name, err)
	}
	document := m.get(name)
	if document == nil {
		return nil, fmt.Errorf("document %q: %w", name, fs.ErrNotExist)
	}
	return document, nil
}

// Update implements [Documents].
func (m *Memory) Update(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error {
	if err := CheckName(name); err != nil {
		return err
	}
	waiting, acquired, done := patience(ctx)
	defer done()
	leave, err := m.queue.Enter(waiting, name)
	if err != nil {
		return fmt.Errorf("document %q: %w", name, err)
	}
	defer leave()
	acquired()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("document %q: %w", name, err)
	}
	document, err := change(m.get(name))
	if err != nil || document == nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.documents[name] = bytes.Clone(document)
	return nil
}

// get returns a copy that is nil only where the document is missing.
func (m *Memory) get(name string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.documents[name])
}
