package client

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"time"
)

// ErrBusy says that too many attempts wait for a slow hash. It is no word on
// the credentials: the answer is 503 with Retry-After.
var ErrBusy = errors.New("too many client authentications are waiting")

// maxWaiting is how many attempts may wait for their turn, all clients
// together, and maxWaitingEach how many of them may come from one address.
const (
	maxWaiting     = 128
	maxWaitingEach = 80
)

// Queue lets a few attempts at a time compute slow hashes, so that strangers
// cannot exhaust memory and processors. There is one for the whole process:
// while a reload is under way, two [Authenticator] share it.
type Queue struct {
	running    chan struct{} // one place for each processor that may be kept busy
	waiting    chan struct{}
	taking     chan struct{} // held by the one who takes places: two who need several must not hold a part each
	processors int           // there are
	shared     bool          // there is one alone, for hashes and for all else

	mu   sync.Mutex
	from map[netip.Prefix]*waiters // by the address that they come from
}

// waiters are those who wait from one address. One of them at a time stands in
// line with those of other addresses: who sends wrong secrets by the dozen
// keeps others waiting for one of these, and not for all.
type waiters struct {
	count int
	first chan struct{}
}

// NewQueue returns a queue that keeps half of the processors busy that Go uses,
// or the only one for half of the time, and lets 128 attempts wait.
func NewQueue() *Queue {
	processors := runtime.GOMAXPROCS(0)
	q := newQueue(max(1, processors/2), maxWaiting)
	q.processors, q.shared = processors, processors == 1
	return q
}

func newQueue(running, waiting int) *Queue {
	return &Queue{
		running: make(chan struct{}, running), waiting: make(chan struct{}, waiting),
		taking: make(chan struct{}, 1), processors: running, from: make(map[netip.Prefix]*waiters),
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
// processor busy. Without a nil error there is none: [ErrBusy] where too many
// wait, or too many of one address, or the context's error.
func (q *Queue) enter(ctx context.Context, lanes int, address string) (*turn, error) {
	t := &turn{queue: q, processors: min(lanes, q.processors)}
	t.places = min(t.processors, cap(q.running))
	if !t.tryTake() {
		from := keyOf("", address).address
		line, ok := q.wait(from)
		if !ok {
			return nil, ErrBusy
		}
		defer q.waited(from)
		select {
		case line <- struct{}{}:
			defer func() { <-line }()
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting to authenticate a client: %w", ctx.Err())
		}
		if err := t.take(ctx); err != nil {
			return nil, fmt.Errorf("waiting to authenticate a client: %w", err)
		}
	}
	t.began = time.Now()
	return t, nil
}

// wait takes a place among those who wait, which waited gives back; the first
// in line is who can send to the channel.
func (q *Queue) wait(from netip.Prefix) (line chan struct{}, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	mine := q.from[from]
	if mine == nil {
		mine = &waiters{first: make(chan struct{}, 1)}
	}
	if mine.count >= maxWaitingEach {
		return nil, false
	}
	select {
	case q.waiting <- struct{}{}:
	default:
		return nil, false
	}
	mine.count++
	q.from[from] = mine
	return mine.first, true
}

func (q *Queue) waited(from netip.Prefix) {
	q.mu.Lock()
	defer q.mu.Unlock()
	<-q.waiting
	mine := q.from[from]
	if mine.count--; mine.count == 0 {
		delete(q.from, from)
	}
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
// lanes a hash has is not ours to choose. So it is where there is one processor:
// else who guesses secrets would leave nothing of it to anybody.
func (t *turn) leave() {
	took := time.Since(t.began)
	pause := took * time.Duration(t.processors-t.places) / time.Duration(t.places)
	if t.queue.shared {
		pause = took
	}
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
