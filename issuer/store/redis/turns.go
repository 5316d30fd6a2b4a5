package redis

import (
	"context"
	"sync"
)

// turns lets one at a time of this process change each document: those who
// compare and set would else make each other begin again.
type turns struct {
	mu   sync.Mutex
	each map[string]chan struct{}
}

// enter waits for the turn. leave must be called after a nil error.
func (t *turns) enter(ctx context.Context, name string) (leave func(), err error) {
	t.mu.Lock()
	if t.each == nil {
		t.each = make(map[string]chan struct{})
	}
	turn, known := t.each[name]
	if !known {
		turn = make(chan struct{}, 1)
		t.each[name] = turn
	}
	t.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
