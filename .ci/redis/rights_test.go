package redis

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis/redistest"
)

// What the user may not do shows at the start, not when a token must be revoked:
// each right that the page asks for is taken away in turn, the rest is enough.
func TestMissingRights(t *testing.T) {
	t.Parallel()
	server, line := redistest.Start(t), rightsOfPage(t)
	unneeded := regexp.MustCompile(`^\+(wait|config\|get|ping|hello|client|select)$`) // here, or at all
	refusal := regexp.MustCompile(`^(reaching|writing to|listening at) Redis: (NOPERM|ERR The user executing the script can't)|: NOPERM .*'scan'`)
	for i, right := range line {
		user := fmt.Sprint("user", i)
		command := []any{"ACL", "SETUSER", user, "on", ">hunter2"}
		for j, other := range line {
			if j != i {
				command = append(command, other)
			}
		}
		server.Do(t, command...)
		s := open(t, redis.Config{URL: "redis://" + user + ":hunter2@" + server.Address})
		_, err := s.Prepare(t.Context())
		if unneeded.MatchString(right) != (err == nil) || err != nil && !refusal.MatchString(err.Error()) {
			t.Errorf("without %s: %v", right, err)
		}
	}
}

// A server that takes no writes is an error at the start: a replica, and one
// whose memory is full.
func TestNoWrites(t *testing.T) {
	t.Parallel()
	for name, command := range map[string][]any{
		"READONLY": {"REPLICAOF", "127.0.0.1", "1"},
		"OOM":      {"CONFIG", "SET", "maxmemory", "1"},
	} {
		server := redistest.Start(t)
		s := open(t, redis.Config{URL: "redis://" + server.Address})
		server.Do(t, command...)
		if _, err := s.Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Writes that are refused later are told of like an outage, with the reason, as
// long as they are; reading alone does not end it.
func TestWritesEnd(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := open(t, redis.Config{URL: "redis://" + server.Address})
	var told atomic.Pointer[error]
	watch(t, s, func(err error) { told.Store(&err) })
	await(t, "it is seen to be there", func() bool { p := told.Load(); return p != nil && *p == nil })
	change := func() error {
		return s.Update(t.Context(), "a", func([]byte) ([]byte, error) { return []byte("b"), nil })
	}
	server.Do(t, "CONFIG", "SET", "maxmemory", "1")
	if err := change(); err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Fatalf("with full memory: %v", err)
	}
	await(t, "it is told", func() bool { err := *told.Load(); return err != nil && strings.Contains(err.Error(), "OOM") })
	if err := change(); !errors.Is(err, redis.ErrAway) || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("once it is known: %v", err)
	}
	server.Do(t, "CONFIG", "SET", "maxmemory", "0")
	await(t, "it is seen to be well", func() bool { return *told.Load() == nil })
	if err := change(); err != nil {
		t.Error(err)
	}
}

// While Redis is silent, those who wait to change one document do not wait for it
// one after the other.
func TestSilenceHoldsUpNobody(t *testing.T) {
	t.Parallel()
	const clients, timeout = 50, time.Second
	server := redistest.Start(t)
	s := open(t, redis.Config{URL: "redis://" + server.Address, Timeout: timeout})
	put(t, s, "a", "kept")
	watch(t, s, func(error) {})
	server.Freeze(t)
	defer server.Thaw(t)
	var slowest atomic.Int64
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			begin := time.Now()
			if err := s.Update(t.Context(), "a", func([]byte) ([]byte, error) { return []byte("lost"), nil }); err == nil {
				t.Error("a change was acknowledged by a silent server")
			}
			for took := int64(time.Since(begin)); ; {
				if known := slowest.Load(); took <= known || slowest.CompareAndSwap(known, took) {
					return
				}
			}
		})
	}
	group.Wait()
	// One look and its interval, and a turn that began just before its end, or 3 s and
	// whatever a busy machine adds. One after the other would be 50 s.
	if worst := time.Duration(slowest.Load()); worst > clients*timeout/2 {
		t.Errorf("the slowest of %d took %v", clients, worst)
	}
}
