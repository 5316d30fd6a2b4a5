package redis_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
)

// atTime makes a store with a clock of its own, which takes no marks yet.
func atTime(t *testing.T, server *miniredis.Miniredis, now func() time.Time) *redis.Store {
	t.Helper()
	s, err := redis.New(redis.Config{
		URL: "redis://" + server.Addr(), Issuer: "https://api.example.com", EncryptionKeys: []string{oldKey}, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func resume(t *testing.T, s *redis.Store, first bool) {
	t.Helper()
	if err := s.Resume(t.Context(), first, time.Hour); err != nil {
		t.Fatal(err)
	}
}

func use(t *testing.T, s *redis.Store, id string, made, until time.Time, want error) {
	t.Helper()
	err := s.Mark(t.Context(), store.Mark{Kind: store.KindProof, Owner: "a", ID: id, Made: made, Until: until})
	if !errors.Is(err, want) {
		t.Errorf("%s made at %v: %v, expected %v", id, made, err, want)
	}
}

// Where all marks are lost while instances run, what was used before passes at none
// of them, whoever notices first; what is made afterwards does.
func TestLostMarks(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*miniredis.Miniredis){
		"flushed":             func(server *miniredis.Miniredis) { server.FlushAll() },
		"flushed, begun anew": func(server *miniredis.Miniredis) { server.FlushAll(); resume(t, atTime(t, server, time.Now), true) },
		"the era is no era": func(server *miniredis.Miniredis) {
			for _, key := range server.Keys() {
				if strings.HasSuffix(key, ":era") {
					server.FlushAll()
					_ = server.Set(key, "x 0 -1")
				}
			}
		},
	} {
		server, start := miniredis.RunT(t), time.Unix(1_800_000_000, 0)
		now := start
		clock := func() time.Time { return now }
		one, other := atTime(t, server, clock), atTime(t, server, clock)
		resume(t, one, true)
		resume(t, other, false)
		use(t, one, "before", now, now.Add(time.Minute), nil)
		use(t, other, "before", now, now.Add(time.Minute), store.ErrUsed)
		lose(server)
		now = now.Add(5 * time.Second)
		use(t, one, "before", start, now.Add(time.Minute), store.ErrStale)
		use(t, other, "before", start, now.Add(time.Minute), store.ErrStale)
		use(t, other, "of this second", now, now.Add(time.Minute), store.ErrStale)
		use(t, one, "of no time", time.Time{}, now.Add(time.Hour), store.ErrStale)
		if since, until := other.Restriction(); since.Unix() != now.Unix() || until.Before(now.Add(time.Hour)) {
			t.Errorf("%s: restricted from %v to %v", name, since, until)
		}
		now = now.Add(time.Second)
		use(t, one, "after", now, now.Add(time.Minute), nil)
		use(t, other, "after", now, now.Add(time.Minute), store.ErrUsed)
		now = now.Add(time.Hour + time.Second)
		use(t, other, "of no time", time.Time{}, now.Add(time.Hour), nil)
	}
}

// Only the very first start takes what was made before it: where the issuer has
// other state already, marks were lost with Redis or did not come along.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	clock := func() time.Time { return now }
	for first, want := range map[bool]error{true: nil, false: store.ErrStale} {
		s := atTime(t, miniredis.RunT(t), clock)
		use(t, s, "too early", now, now.Add(time.Minute), store.ErrClosed)
		resume(t, s, first)
		use(t, s, "a", now.Add(-time.Second), now.Add(time.Minute), want)
		if since, _ := s.Restriction(); since.IsZero() != first {
			t.Errorf("first %t: restricted from %v", first, since)
		}
	}
}

// A restart and a reload find the era that is there, and refuse nothing more.
func TestEraStays(t *testing.T) {
	t.Parallel()
	server, now := miniredis.RunT(t), time.Unix(1_800_000_000, 0)
	clock := func() time.Time { return now }
	resume(t, atTime(t, server, clock), true)
	for _, first := range []bool{true, false} {
		s := atTime(t, server, clock)
		resume(t, s, first)
		resume(t, s, first)
		use(t, s, strings.Repeat("x", 1+len(server.Keys())), now.Add(-time.Second), now.Add(time.Minute), nil)
	}
}
