package client

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
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
	running    chan struct{} // one place for each processor that may be kept busy
	waiting    chan struct{}
	taking     chan struct{} // held by the one who takes places: two who need several must not hold a part each
	processors int           // there are
}

// NewQueue returns a queue that keeps half of the processors busy that Go uses,
// at least one, and lets 64 attempts wait.
func NewQueue() *Queue {
	processors := runtime.GOMAXPROCS(0)
	q := newQueue(max(1, processors/2), maxWaiting)
	q.processors = processors
	return q
}

func newQueue(running, waiting int) *Queue {
	return &Queue{
		running: make(chan struct{}, running), waiting: make(chan struct{}, waiting),
		taking: make(chan struct{}, 1), processors: running,
	}
}

// turn is the right to compute hashes until leave.
type turn struct {
	queue      *Queue
	processors int // that are kept busy
	places     int // that it has for them
	began      time.Time
}

// enter waits for a turn with hashes of so many lanes, each of which keeps a
// processor busy. Without a nil error there is none: [ErrBusy] where the queue
// is full, or the context's error.
func (q *Queue) enter(ctx context.Context, lanes int) (*turn, error) {
	t := &turn{queue: q, processors: min(lanes, q.processors)}
	t.places = min(t.processors, cap(q.running))
	if !t.tryTake() {
		select {
		case q.waiting <- struct{}{}:
			defer func() { <-q.waiting }()
		default:
			return nil, ErrBusy
		}
		if err := t.take(ctx); err != nil {
			return nil, fmt.Errorf("waiting to authenticate a client: %w", err)
		}
	}
	t.began = time.Now()
	return t, nil
}

// tryTake takes the places where that needs no waiting.
func (t *turn) tryTake() bool {
	select {
	case t.queue.taking <- struct{}{}:
		defer func() { <-t.queue.taking }()
	default:
		return false // whoever waits was here first
	}
	for taken := range t.places {
		select {
		case t.queue.running <- struct{}{}:
		default:
			t.queue.giveBack(taken)
			return false
		}
	}
	return true
}

func (t *turn) take(ctx context.Context) error {
	select {
	case t.queue.taking <- struct{}{}:
		defer func() { <-t.queue.taking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for taken := range t.places {
		select {
		case t.queue.running <- struct{}{}:
		case <-ctx.Done():
			t.queue.giveBack(taken)
			return ctx.Err()
		}
	}
	return nil
}

// leave ends the turn. Where it kept more processors busy than the queue has
// places, nobody follows for so long that the bound holds on the whole: how many
// lanes a hash has is not ours to choose.
func (t *turn) leave() {
	pause := time.Since(t.began) * time.Duration(t.processors-t.places) / time.Duration(t.places)
	if pause == 0 {
		t.queue.giveBack(t.places)
		return
	}
	time.AfterFunc(pause, func() { t.queue.giveBack(t.places) })
}

func (q *Queue) giveBack(places int) {
	for range places {
		<-q.running
	}
}
