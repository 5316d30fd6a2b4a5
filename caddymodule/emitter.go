package caddymodule

import (
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"go.uber.org/zap"
)

const (
	maxEvents  = 1024            // that wait for handlers
	eventsLast = 5 * time.Second // how long Stop waits for the last ones
)

// emitter hands events to Caddy's app `events`, one after the other, in a goroutine
// of its own: Caddy runs handlers where an event is emitted, and one that is slow
// or panics must not hold up a request or the upkeep of keys.
//
// Events wait until the configuration is in force: before, the handlers that it
// names do not listen yet. A nil emitter emits nothing.
type emitter struct {
	logger *zap.Logger
	ctx    caddy.Context // the app's: it says where events come from
	events *caddyevents.App
	last   time.Duration // eventsLast

	mutex  sync.Mutex // guards what follows
	queue  chan happening
	done   chan struct{} // closed when all have been handed over; nil: not begun
	closed bool
}

type happening struct {
	name string
	data map[string]any
}

func newEmitter(ctx caddy.Context, logger *zap.Logger, events *caddyevents.App) *emitter {
	return &emitter{logger: logger, ctx: ctx, events: events, last: eventsLast, queue: make(chan happening, maxEvents)}
}

// begin hands over what waits and all that comes.
func (e *emitter) begin() {
	if e == nil {
		return
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.done != nil || e.closed {
		return
	}
	e.done = make(chan struct{})
	go func() {
		defer close(e.done)
		for one := range e.queue {
			e.deliver(one)
		}
	}()
}

// deliver runs the handlers. A panic in one of them never ends the server.
func (e *emitter) deliver(one happening) {
	defer func() {
		if problem := recover(); problem != nil {
			e.logger.Error("a handler of an event panicked", zap.String("event", one.name), zap.Any("panic", problem), zap.Stack("stack"))
		}
	}()
	e.events.Emit(e.ctx, one.name, one.data)
}

// emit notes an event, and does not wait for its handlers. data must not be
// changed any more, and holds nothing that is secret.
func (e *emitter) emit(name string, data map[string]any) {
	if e == nil {
		return
	}
	e.mutex.Lock()
	closed, lost := e.closed, false
	if !closed {
		select {
		case e.queue <- happening{name, data}:
		default:
			lost = true
		}
	}
	e.mutex.Unlock()
	if closed { // a request that outlives its configuration
		app, err := activeApp()
		if lost = err != nil || app.events == nil || app.events == e; !lost {
			app.events.emit(name, data)
		}
	}
	if lost {
		e.logger.Error("an event was lost: its handlers are too slow, or the configuration has ended", zap.String("event", name))
	}
}

// end waits for a while until what has happened is handed over.
func (e *emitter) end() {
	if e == nil {
		return
	}
	e.mutex.Lock()
	begun := e.done != nil
	if !e.closed {
		e.closed = true
		close(e.queue)
	}
	e.mutex.Unlock()
	if !begun {
		return
	}
	select {
	case <-e.done:
	case <-time.After(e.last):
		e.logger.Error("handlers of events are too slow: the last events may be lost")
	}
}
