package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bus is a channel within this process.
type bus struct {
	mu     sync.Mutex
	hears  []func([]byte)
	said   [][]byte
	silent bool
}

func (b *bus) Say(_ context.Context, _ string, message []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.silent {
		return errors.New("away")
	}
	b.said = append(b.said, message)
	for _, heard := range b.hears {
		heard(message)
	}
	return nil
}

func (b *bus) Hear(ctx context.Context, _ string, heard func([]byte)) {
	b.mu.Lock()
	b.hears = append(b.hears, heard)
	b.mu.Unlock()
	<-ctx.Done()
}

// instances share failures over the bus until the test ends. It is called in a bubble.
func instances(t *testing.T, b *bus) (one, other *Failures, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	start := func() *Failures {
		exchange := NewFailureExchange(b)
		failures := NewFailures(time.Now, exchange)
		group.Go(func() { exchange.Listen(ctx, failures) })
		group.Go(func() { exchange.Send(ctx) })
		return failures
	}
	one, other = start(), start()
	synctest.Wait()
	return one, other, func() { cancel(); group.Wait() }
}

// Who guesses at one instance is blocked at all of them, and pays there as
// often as he failed: nothing comes back and is charged twice.
func TestFailuresAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bus{}
		one, other, stop := instances(t, b)
		defer stop()
		limit := FailureLimit{Count: 3, Per: time.Hour}
		for i := range 3 {
			failing := []*Failures{one, other}[i%2]
			failing.Count(limit, "batch", "192.0.2.1")
		}
		time.Sleep(failureEvery)
		synctest.Wait()
		for name, failures := range map[string]*Failures{"one": one, "other": other} {
			wait := failures.Blocked(limit, "batch", "192.0.2.1")
			if wait <= 0 || wait > 20*time.Minute {
				t.Errorf("%s: blocked for %v, expected what is missing of 20m", name, wait)
			}
			if failures.Blocked(limit, "batch", "192.0.2.2") != 0 || failures.Blocked(limit, "other", "192.0.2.1") != 0 {
				t.Errorf("%s: others are blocked", name)
			}
		}
	})
}

// A flood is told in few and small messages, without a client_id or an address.
func TestFailuresAreToldInBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bus{}
		one, _, stop := instances(t, b)
		defer stop()
		for i := range 5 * failureBatch {
			one.Count(FailureLimit{Count: 3, Per: time.Hour}, fmt.Sprintf("nightly-%d", i), fmt.Sprintf("192.0.2.%d", i%250))
		}
		time.Sleep(10 * failureEvery)
		synctest.Wait()
		if len(b.said) != 1 {
			t.Fatalf("%d messages", len(b.said))
		}
		if len(b.said[0]) > 200*failureBatch || bytes.Contains(b.said[0], []byte("nightly")) || bytes.Contains(b.said[0], []byte("192.0.2")) {
			t.Errorf("%d bytes: %.300s", len(b.said[0]), b.said[0])
		}
	})
}

// What cannot be told is dropped, and each goes by its own count.
func TestFailuresWhileNobodyHears(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bus{silent: true}
		one, other, stop := instances(t, b)
		defer stop()
		limit := FailureLimit{Count: 2, Per: time.Hour}
		for range 2 {
			one.Count(limit, "batch", "192.0.2.1")
		}
		time.Sleep(failureEvery)
		synctest.Wait()
		b.mu.Lock()
		b.silent = false
		b.mu.Unlock()
		time.Sleep(time.Second)
		synctest.Wait()
		if one.Blocked(limit, "batch", "192.0.2.1") == 0 || other.Blocked(limit, "batch", "192.0.2.1") != 0 {
			t.Error("not as each has counted")
		}
	})
}

// FuzzFailureMessage: whatever is heard, nothing breaks, and what is held stays bounded.
func FuzzFailureMessage(f *testing.F) {
	exchange := NewFailureExchange(&bus{})
	exchange.Tell(keyOf("batch", "192.0.2.1").hash(), FailureLimit{Count: 3, Per: time.Minute})
	f.Add(exchange.take())
	f.Add([]byte(`{"charges":[{"key":"","count":-1,"per":-1,"number":-1}]}`))
	f.Add([]byte(`{"charges":[{"key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","count":9223372036854775807,"per":1,"number":9223372036854775807}]}`))
	f.Fuzz(func(t *testing.T, message []byte) {
		failures := NewFailures(time.Now, nil)
		NewFailureExchange(&bus{}).heard(message, failures)
		failures.limiters.CleanUp()
		if size := failures.limiters.EstimatedSize(); size > failureBatch {
			t.Errorf("holds %d", size)
		}
	})
}
