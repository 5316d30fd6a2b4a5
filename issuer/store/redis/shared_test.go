package redis_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
)

func with(t *testing.T, config redis.Config, address string) *redis.Store {
	t.Helper()
	config.URL, config.Issuer = "redis://"+address, "https://api.example.com"
	s, err := redis.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Resume(t.Context(), true, time.Hour); err != nil {
		t.Fatal(err)
	}
	return s
}

var oldKey, newKey = strings.Repeat("old!", 8), strings.Repeat("new!", 8)

func put(t *testing.T, s *redis.Store, name, content string) {
	t.Helper()
	if err := s.Update(t.Context(), name, func([]byte) ([]byte, error) { return []byte(content), nil }); err != nil {
		t.Fatal(err)
	}
}

// Two instances that change the same document lose nothing.
func TestTwoInstances(t *testing.T) {
	t.Parallel()
	address := miniredis.RunT(t).Addr()
	instances := []*redis.Store{open(t, address), open(t, address)}
	const rounds = 20
	var group sync.WaitGroup
	for _, instance := range instances {
		group.Go(func() {
			for range rounds {
				err := instance.Update(t.Context(), "count", func(old []byte) ([]byte, error) { return append(old, 'x'), nil })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if document, err := instances[0].Load(t.Context(), "count"); err != nil || len(document) != 2*rounds {
		t.Errorf("%d changes, %v", len(document), err)
	}
}

// Redis sees neither documents nor what statements are called, and keys of
// another issuer are others.
func TestWhatRedisSees(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	s := open(t, server.Addr())
	put(t, s, "keys.json", "PRIVATE-KEY")
	mark := store.Mark{Kind: store.KindAssertion, Owner: "nightly-batch", ID: "the-jti", Until: time.Now().Add(time.Minute)}
	if err := s.Mark(t.Context(), mark); err != nil {
		t.Fatal(err)
	}
	dump := server.Dump()
	for _, word := range []string{"PRIVATE-KEY", "nightly-batch", "the-jti"} {
		if strings.Contains(dump, word) {
			t.Errorf("%q shows in\n%s", word, dump)
		}
	}
	for _, key := range server.Keys() {
		if !strings.HasPrefix(key, "caddy-oauth2:{oauth2/api.example.com-") {
			t.Errorf("key %s", key)
		}
	}
}

// A document of one name or issuer in the place of another is not taken.
func TestDocumentsCannotBeSwapped(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	s := open(t, server.Addr())
	put(t, s, "keys.json", "keys")
	for _, key := range server.Keys() {
		if name, found := strings.CutSuffix(key, "keys.json"); found {
			sealed, err := server.Get(key)
			if err != nil {
				t.Fatal(err)
			}
			if err := server.Set(name+"clients.json", sealed); err != nil {
				t.Fatal(err)
			}
		}
	}
	if document, err := s.Load(t.Context(), "clients.json"); err == nil {
		t.Errorf("took %q", document)
	}
	err := s.Update(t.Context(), "clients.json", func([]byte) ([]byte, error) { return []byte("new"), nil })
	if err == nil || !strings.Contains(err.Error(), "clients.json") {
		t.Errorf("replaced it: %v", err)
	}
}

// A key is changed in three steps, with no moment in which something cannot be
// read; what is under an unknown key is named, and stays.
func TestReseal(t *testing.T) {
	t.Parallel()
	address := miniredis.RunT(t).Addr()
	before := with(t, redis.Config{EncryptionKeys: []string{oldKey}}, address)
	both := with(t, redis.Config{EncryptionKeys: []string{newKey, oldKey}}, address)
	after := with(t, redis.Config{EncryptionKeys: []string{newKey}}, address)
	put(t, before, "one.json", "1")
	put(t, before, "two.json", "2")
	if number, err := after.Reseal(t.Context()); err == nil || number != 0 || !strings.Contains(err.Error(), "one.json") {
		t.Errorf("without the old key: %d, %v", number, err)
	}
	for _, expected := range []int{2, 0} {
		if number, err := both.Reseal(t.Context()); err != nil || number != expected {
			t.Errorf("%d, %v, expected %d", number, err, expected)
		}
	}
	for name, content := range map[string]string{"one.json": "1", "two.json": "2"} {
		if document, err := after.Load(t.Context(), name); err != nil || string(document) != content {
			t.Errorf("%s: %q, %v", name, document, err)
		}
	}
}

// An instance hears of a change by another one, and of one that failed to be
// read again.
func TestWatch(t *testing.T) {
	t.Parallel()
	address := miniredis.RunT(t).Addr()
	watching, changing := open(t, address), open(t, address)
	ctx, cancel := context.WithCancel(t.Context())
	heard, failing := make(chan struct{}), true
	var group sync.WaitGroup
	group.Go(func() {
		watching.Watch(ctx, func() error {
			heard <- struct{}{}
			if failing {
				failing = false
				return errors.New("not now")
			}
			return nil
		}, func(err error) {
			if err != nil {
				t.Error(err)
			}
		})
	})
	<-heard // at once
	<-heard // again, since it failed
	put(t, changing, "a", "b")
	<-heard
	cancel()
	group.Wait()
}

// While Redis is away everything is an error that says so, and afterwards goes on.
func TestOutage(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	s := open(t, server.Addr())
	put(t, s, "a", "kept")
	server.Close()
	mark := store.Mark{Kind: store.KindProof, Owner: "a", ID: "b", Until: time.Now().Add(time.Minute)}
	_, loading := s.Load(t.Context(), "a")
	updating := s.Update(t.Context(), "a", func([]byte) ([]byte, error) { return []byte("lost"), nil })
	for name, err := range map[string]error{
		"Load": loading, "Update": updating, "Mark": s.Mark(t.Context(), mark), "Check": s.Check(t.Context()),
		"Say": s.Say(t.Context(), "t", nil),
	} {
		if err == nil || errors.Is(err, store.ErrUsed) || errors.Is(err, store.ErrStale) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	if document, err := s.Load(t.Context(), "a"); err != nil || string(document) != "kept" {
		t.Errorf("afterwards: %q, %v", document, err)
	}
	if err := s.Mark(t.Context(), mark); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A message reaches all who hear the topic, and none that was sealed by others.
func TestTopic(t *testing.T) {
	t.Parallel()
	address := miniredis.RunT(t).Addr()
	hearing, saying := open(t, address), open(t, address)
	stranger := with(t, redis.Config{EncryptionKeys: []string{oldKey}}, address)
	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan string)
	var group sync.WaitGroup
	group.Go(func() {
		hearing.Hear(ctx, "failures", func(message []byte) {
			select {
			case heard <- string(message):
			case <-ctx.Done():
			}
		})
	})
	for received := ""; received == ""; { // until it hears: subscribing takes a moment
		if err := errors.Join(stranger.Say(ctx, "failures", []byte("forged")), saying.Say(ctx, "failures", []byte("true"))); err != nil {
			t.Fatal(err)
		}
		select {
		case received = <-heard:
			if received != "true" {
				t.Errorf("heard %q", received)
			}
		case <-time.After(10 * time.Millisecond):
		}
	}
	cancel()
	group.Wait()
}
