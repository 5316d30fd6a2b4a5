package redis_test

import (
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/storetest"
)

func open(t *testing.T, address string) *redis.Store {
	t.Helper()
	s, err := redis.New(redis.Config{
		URL: "redis://" + address, Issuer: "https://api.example.com",
		EncryptionKeys: []string{strings.Repeat("k", redis.MinKey)}, Timeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Resume(t.Context(), true, time.Hour); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Documents { return open(t, miniredis.RunT(t).Addr()) })
}

func TestMarks(t *testing.T) {
	t.Parallel()
	storetest.RunMarks(t, func(t *testing.T) storetest.Place {
		server := miniredis.RunT(t)
		return storetest.Place{Marks: open(t, server.Addr()), Now: time.Now, Pass: func(d time.Duration) {
			time.Sleep(d)
			server.FastForward(d)
		}}
	})
}
