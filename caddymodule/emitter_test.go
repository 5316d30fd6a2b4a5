package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// listener is a handler of events that does what a test wants.
type listener func(caddy.Event) error

func (l listener) Handle(_ context.Context, event caddy.Event) error { return l(event) }

// newTestEmitter makes an emitter whose events of all names the handler gets.
func newTestEmitter(t *testing.T, handle listener) (*emitter, *observer.ObservedLogs) {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	t.Cleanup(cancel)
	events := new(caddyevents.App)
	if err := events.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	if err := events.On("", handle); err != nil {
		t.Fatal(err)
	}
	core, log := observer.New(zapcore.DebugLevel)
	return newEmitter(ctx, zap.New(core), events), log
}

// Events come in order, and only from when the configuration is in force; what
// a handler does wrong harms nobody; the last ones are handed over before the end.
func TestEmitter(t *testing.T) {
	t.Parallel()
	var mutex sync.Mutex
	var seen []string
	e, log := newTestEmitter(t, func(event caddy.Event) error {
		mutex.Lock()
		defer mutex.Unlock()
		seen = append(seen, fmt.Sprint(event.Name(), event.Data["n"]))
		switch event.Data["n"] {
		case 1:
			panic("the handler is broken")
		case 2:
			return errors.New("the handler fails")
		}
		return nil
	})
	for n := range 3 {
		e.emit("a", map[string]any{"n": n})
	}
	if len(seen) != 0 {
		t.Errorf("before it begins: %v", seen)
	}
	e.begin()
	e.begin()
	for n := 3; n < 500; n++ {
		e.emit("a", map[string]any{"n": n})
	}
	e.end()
	e.end()
	if len(seen) != 500 || !slices.IsSortedFunc(seen, func(a, b string) int {
		return len(a) - len(b)
	}) || seen[2] != "a2" || seen[499] != "a499" {
		t.Errorf("%d events: %v", len(seen), seen)
	}
	if lines := log.All(); len(lines) != 1 || lines[0].Message != "a handler of an event panicked" {
		t.Errorf("log: %v", lines)
	}
	e.begin()
	e.emit("a", nil)
	if lines := log.TakeAll(); len(lines) != 2 || len(seen) != 500 {
		t.Errorf("after the end: %v", lines)
	}
}

// A handler that does not come back holds up neither who emits nor Stop, and
// events have a bounded place to wait.
func TestEmitterWithASlowHandler(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	e, log := newTestEmitter(t, func(caddy.Event) error {
		once.Do(func() { close(entered) })
		<-release
		return nil
	})
	e.last = time.Millisecond
	e.begin()
	e.emit("a", nil)
	<-entered
	for range maxEvents {
		e.emit("a", nil)
	}
	if log.Len() != 0 {
		t.Fatalf("log: %v", log.All())
	}
	e.emit("a", nil)
	if lines := log.TakeAll(); len(lines) != 1 || lines[0].Level != zapcore.ErrorLevel {
		t.Errorf("an event more than there is room for: %v", lines)
	}
	e.end()
	if lines := log.TakeAll(); len(lines) != 1 {
		t.Errorf("at the end: %v", lines)
	}
	close(release)
	<-e.done
}

// What never came into force emits nothing, and waits for nothing.
func TestEmitterThatNeverBegan(t *testing.T) {
	t.Parallel()
	e, _ := newTestEmitter(t, func(caddy.Event) error {
		t.Error("an event")
		return nil
	})
	e.emit("a", nil)
	e.end()
	var none *emitter
	none.begin()
	none.emit("a", nil)
	none.end()
}

// Who compares two configurations tells what became of each client, and of the
// first one nothing.
func TestConfiguredClients(t *testing.T) {
	t.Parallel()
	var known configuredClients
	for _, step := range []struct {
		alive map[string]bool
		want  string
	}{
		{map[string]bool{"a": true, "b": false}, "map[]"},
		{map[string]bool{"a": true, "b": false}, "map[]"},
		{map[string]bool{"a": false, "b": true, "c": true, "d": false}, "map[a:disabled b:enabled c:added d:added]"},
		{map[string]bool{"b": true}, "map[a:removed c:removed d:removed]"},
		{map[string]bool{}, "map[b:removed]"},
		{map[string]bool{"b": true}, "map[b:added]"},
	} {
		if got := fmt.Sprint(known.replace(step.alive)); got != step.want {
			t.Errorf("%v: %s", step.alive, got)
		}
	}
}
