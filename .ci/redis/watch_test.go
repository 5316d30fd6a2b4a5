package redis

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis/redistest"
)

// expectChangeIsHeard has one store watch what another one changes.
func expectChangeIsHeard(t *testing.T, watching, changing *redis.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	var group sync.WaitGroup
	heard := make(chan struct{}, 10)
	group.Go(func() { watching.Watch(ctx, func() error { heard <- struct{}{}; return nil }, func(error) {}) })
	for change := range 2 {
		if change > 0 {
			put(t, changing, "changed", "now")
		}
		select {
		case <-heard:
		case <-ctx.Done():
			t.Error("not heard")
		}
	}
	cancel()
	group.Wait()
}

// A Redis that is killed and comes back has what it acknowledged, and whoever
// watches sees soon that it is there, and what was changed meanwhile.
func TestRestart(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	config := redis.Config{URL: "redis://" + server.Address, Prefix: "caddy-oauth2"}
	s, other := taking(t, reopen(t, config)), reopen(t, config)
	mark := store.Mark{Kind: store.KindProof, Owner: "a", ID: "b", Until: time.Now().Add(time.Minute)}
	put(t, s, "a", "kept")
	if err := s.Mark(t.Context(), mark); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	var up atomic.Bool
	changes := make(chan struct{}, 100)
	group.Go(func() {
		s.Watch(ctx, func() error { changes <- struct{}{}; return nil }, func(err error) { up.Store(err == nil) })
	})
	<-changes
	server.Kill()
	await(t, "it is seen to be away", func() bool { return !up.Load() })
	if err := s.Update(t.Context(), "a", func([]byte) ([]byte, error) { return []byte("lost"), nil }); err == nil {
		t.Error("a change was acknowledged while Redis was away")
	}
	server.Restart(t)
	await(t, "it is seen to be back", up.Load)
	put(t, other, "b", "new")
	select {
	case <-changes:
	case <-time.After(patience):
		t.Error("a change after the restart was not seen")
	}
	cancel()
	group.Wait()
	if document, err := s.Load(t.Context(), "a"); err != nil || string(document) != "kept" {
		t.Errorf("document: %q, %v", document, err)
	}
	expectUsed(t, s, mark)
}

// A Redis that falls silent is an error within the timeout, not a request that hangs.
func TestSilence(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := taking(t, open(t, redis.Config{URL: "redis://" + server.Address, Timeout: time.Second}))
	put(t, s, "a", "kept")
	server.Freeze(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	mark := store.Mark{Kind: store.KindProof, Owner: "a", ID: "b", Until: time.Now().Add(time.Minute)}
	_, loading := s.Load(ctx, "a")
	for name, err := range map[string]error{"Load": loading, "Mark": s.Mark(ctx, mark), "Check": s.Check(ctx)} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if ctx.Err() != nil {
		t.Errorf("three operations of 1 s took more than %v", patience)
	}
	server.Thaw(t)
	await(t, "it answers again", func() bool { _, err := s.Load(t.Context(), "a"); return err == nil })
}

// Who only watches sees too that marks are gone, as where Redis was started without
// its file: before somebody uses the loss.
func TestLossIsSeen(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--appendonly", "no")
	config := redis.Config{URL: "redis://" + server.Address, Prefix: "caddy-oauth2", Timeout: time.Second}
	s, other := taking(t, reopen(t, config)), reopen(t, config)
	mark := store.Mark{Kind: store.KindProof, Owner: "a", ID: "b", Made: time.Now(), Until: time.Now().Add(time.Minute)}
	if err := s.Mark(t.Context(), mark); err != nil {
		t.Fatal(err)
	}
	watch(t, s, func(error) {})
	server.Kill()
	server.Restart(t)
	await(t, "the loss is seen", func() bool { since, _ := s.Restriction(); return !since.IsZero() })
	for name, instance := range map[string]*redis.Store{"one that ran": s, "one that starts": taking(t, other)} {
		if err := instance.Mark(t.Context(), mark); !errors.Is(err, store.ErrStale) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// watch has the store looked at until the test ends.
func watch(t *testing.T, s *redis.Store, alive func(error)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { s.Watch(ctx, func() error { return nil }, alive) })
	t.Cleanup(func() {
		cancel()
		group.Wait()
	})
}

// patience only tells what hangs.
const patience = time.Minute

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
