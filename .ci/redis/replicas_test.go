package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis/redistest"
)

// What too few replicas have is not acknowledged, neither at first nor when the
// caller finds that it is done already.
func TestTooFewReplicas(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	config := redis.Config{URL: "redis://" + server.Address, Prefix: "caddy-oauth2", Timeout: time.Second}
	taking(t, reopen(t, config))
	config.WaitReplicas = 1
	s := taking(t, reopen(t, config))
	revoke := func(old []byte) ([]byte, error) {
		if string(old) == "revoked" {
			return nil, nil
		}
		return []byte("revoked"), nil
	}
	for range 2 {
		if err := s.Update(t.Context(), "revocations.json", revoke); !errors.Is(err, redis.ErrReplicas) {
			t.Errorf("Update: %v", err)
		}
	}
	mark := store.Mark{Kind: store.KindProof, Owner: "a", ID: "b", Until: time.Now().Add(time.Minute)}
	if err := s.Mark(t.Context(), mark); !errors.Is(err, redis.ErrReplicas) {
		t.Errorf("Mark: %v", err)
	}
}

// The master is killed while instances write: all that was acknowledged is there
// when a replica has taken over, and writing goes on.
func TestFailover(t *testing.T) {
	t.Parallel()
	sentinels := redistest.StartSentinels(t)
	config := sentinelConfig(sentinels)
	config.Prefix, config.Timeout = "caddy-oauth2", time.Second
	writer := &writer{t: t, stores: []*redis.Store{taking(t, reopen(t, config)), taking(t, reopen(t, config))}, ended: make(chan struct{})}
	writer.start()
	await(t, "writes before", func() bool { return writer.acknowledged.Load() > 100 })
	before := time.Now()
	sentinels.Master.Kill()
	killed := writer.acknowledged.Load()
	await(t, "writes after", func() bool { return writer.acknowledged.Load() > killed+100 })
	t.Logf("writes went on %v after the master was killed", time.Since(before).Round(time.Millisecond))
	writer.stop()

	after := taking(t, reopen(t, config))
	writer.expectAll(after)
}

// writer has several instances write, and notes what was acknowledged.
type writer struct {
	t            *testing.T
	stores       []*redis.Store
	ended        chan struct{}
	group        sync.WaitGroup
	acknowledged atomic.Int64
	documents    [2][]string
	marks        [2][]store.Mark
}

func (w *writer) start() {
	for index := range w.stores {
		w.group.Go(func() {
			for number := 0; ; number++ {
				select {
				case <-w.ended:
					return
				default:
					w.write(index, fmt.Sprint(number))
				}
			}
		})
	}
}

func (w *writer) write(index int, id string) {
	s := w.stores[index]
	err := s.Update(w.t.Context(), fmt.Sprint("count-", index), func(old []byte) ([]byte, error) {
		return fmt.Appendf(old, " %s ", id), nil
	})
	if err == nil {
		w.documents[index] = append(w.documents[index], id)
		w.acknowledged.Add(1)
	}
	mark := store.Mark{Kind: store.KindProof, Owner: fmt.Sprint(index), ID: id, Until: time.Now().Add(time.Hour)}
	if err := s.Mark(w.t.Context(), mark); err == nil {
		w.marks[index] = append(w.marks[index], mark)
		w.acknowledged.Add(1)
	} else if errors.Is(err, store.ErrUsed) {
		w.t.Errorf("mark %s of %d was refused at its first use", id, index)
	}
}

func (w *writer) stop() {
	close(w.ended)
	w.group.Wait()
}

// expectAll finds all that was acknowledged.
func (w *writer) expectAll(after *redis.Store) {
	w.t.Helper()
	for index := range w.stores {
		document, err := after.Load(w.t.Context(), fmt.Sprint("count-", index))
		if err != nil {
			w.t.Fatal(err)
		}
		for _, id := range w.documents[index] {
			if !strings.Contains(string(document), " "+id+" ") {
				w.t.Errorf("change %s was acknowledged and is gone", id)
			}
		}
		for _, mark := range w.marks[index] {
			expectUsed(w.t, after, mark)
		}
	}
}

// expectUsed finds the mark: it must not pass again.
func expectUsed(t *testing.T, s *redis.Store, mark store.Mark) {
	t.Helper()
	if err := s.Mark(t.Context(), mark); !errors.Is(err, store.ErrUsed) {
		t.Errorf("mark %s: %v, expected that it was used", mark.ID, err)
	}
}

// Settings that may lose something are told, right ones are not.
func TestAdvice(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := open(t, redis.Config{URL: "redis://" + server.Address})
	if advice := s.Advice(t.Context()); len(advice) != 0 {
		t.Errorf("%q", advice)
	}
	server.Do(t, "CONFIG", "SET", "appendonly", "no")
	server.Do(t, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	advice := strings.Join(s.Advice(t.Context()), "\n")
	if !strings.Contains(advice, "appendonly") || !strings.Contains(advice, "maxmemory-policy") {
		t.Errorf("%q", advice)
	}
}

// A start waits for replicas that follow in a moment, as after a failover, and says so
// where none does.
func TestStartAwaitsReplicas(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := reopen(t, redis.Config{URL: "redis://" + server.Address, Prefix: "caddy-oauth2", WaitReplicas: 1, Timeout: time.Second})
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.Prepare(short); err == nil {
		t.Fatal("it starts without a replica")
	}
	short, cancel = context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	if _, err := s.Prepare(short); !errors.Is(err, redis.ErrReplicas) {
		t.Errorf("without a replica: %v", err)
	}
	prepared := make(chan error)
	go func() {
		_, err := s.Prepare(t.Context())
		prepared <- err
	}()
	select {
	case err := <-prepared:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(700 * time.Millisecond): // WAIT takes up to half a second
	}
	redistest.Start(t, "--replicaof", strings.Replace(server.Address, ":", " ", 1))
	select {
	case err := <-prepared:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("it waits on")
	}
}
