package client

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// ErrBusy says that too many attempts wait for a slow hash. It is no word on
// the credentials: the answer is 503 with Retry-After.
var ErrBusy = errors.New("too many client authentications are waiting")

// maxWaiting is how many attempts may wait for their turn, all clients together.
const maxWaiting = 64

// Queue lets a few attempts at a time compute slow hashes, so that strangers
// cannot exhaust memory and processors. There is one for the whole process:
// while a reload is under way, two [Authenticator] share it.
type Queue struct {
	running chan struct{}
	waiting chan struct{}
}

// NewQueue returns a queue that runs half as many attempts as Go uses
// processors, at least one, and lets 64 wait.
func NewQueue() *Queue { return newQueue(max(1, runtime.GOMAXPROCS(0)/2), maxWaiting) }

func newQueue(running, waiting int) *Queue {
	return &Queue{running: make(chan struct{}, running), waiting: make(chan struct{}, waiting)}
}

// enter waits for a turn, which leave ends. Without a nil error there is none:
// [ErrBusy] where the queue is full, or the context's error.
func (q *Queue) enter(ctx context.Context) error {
	select {
	case q.running <- struct{}{}:
		return nil
	default:
	}
	select {
	case q.waiting <- struct{}{}:
		defer func() { <-q.waiting }()
	default:
		return ErrBusy
	}
	select {
	case q.running <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting to authenticate a client: %w", ctx.Err())
	}
}

func (q *Queue) leave() { <-q.running }
