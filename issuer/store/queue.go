package store

import (
	"context"
	"sync"
)

// Queue lets one at a time work on each document within this process. Unlike a
// sync.Mutex, waiting ends with the context. The zero value is ready to use.
type Queue struct {
	mu    sync.Mutex
	turns map[string]chan struct{}
}

// Enter waits for the document's turn. leave must be called after a nil error.
func (q *Queue) Enter(ctx context.Context, name string) (leave func(), err error) {
	turn := q.turn(name)
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (q *Queue) turn(name string) chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	turn, ok := q.turns[name]
	if !ok {
		if q.turns == nil {
			q.turns = make(map[string]chan struct{})
		}
		turn = make(chan struct{}, 1)
		q.turns[name] = turn
	}
	return turn
}
