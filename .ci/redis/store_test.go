// Package redis runs the store for Redis on real redis-server processes: single,
// with TLS, with an ACL user, behind Sentinels, as a Cluster; and takes them
// away. The folder's leading dot keeps it out of `go test ./...`, which does with
// a Redis in memory.
package redis

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis/redistest"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/storetest"
)

var encryptionKeys = []string{strings.Repeat("k", redis.MinKey)}

var prefixes atomic.Int64

// open makes a store that is empty.
func open(t *testing.T, config redis.Config) *redis.Store {
	t.Helper()
	config.Prefix = fmt.Sprint("caddy-oauth2:", prefixes.Add(1))
	return reopen(t, config)
}

// reopen makes a store on what another one with this prefix left.
func reopen(t *testing.T, config redis.Config) *redis.Store {
	t.Helper()
	config.Issuer = "https://api.example.com"
	if config.EncryptionKeys == nil {
		config.EncryptionKeys = encryptionKeys
	}
	if config.Timeout == 0 {
		config.Timeout = 5 * time.Second
	}
	s, err := redis.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// taking has the store take marks.
func taking(t *testing.T, s *redis.Store) *redis.Store {
	t.Helper()
	if err := s.Resume(t.Context(), true, time.Hour); err != nil {
		t.Fatal(err)
	}
	return s
}

// kinds are the ways to run Redis.
var kinds = map[string]func(*testing.T) redis.Config{
	"single": func(t *testing.T) redis.Config { return redis.Config{URL: "redis://" + redistest.Start(t).Address} },
	"database": func(t *testing.T) redis.Config {
		return redis.Config{URL: "redis://" + redistest.Start(t).Address + "/7"}
	},
	"TLS":      withTLS,
	"ACL":      withACL,
	"sentinel": func(t *testing.T) redis.Config { return sentinelConfig(redistest.StartSentinels(t)) },
	"cluster": func(t *testing.T) redis.Config {
		nodes := redistest.StartCluster(t)
		return redis.Config{URL: "redis://" + nodes[1].Address, Addresses: []string{nodes[2].Address}, Cluster: true}
	},
}

// The contracts of documents and marks hold wherever Redis runs.
func TestContracts(t *testing.T) {
	t.Parallel()
	for name, start := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := start(t)
			storetest.Run(t, func(t *testing.T) store.Documents { return open(t, config) })
			storetest.RunMarks(t, func(t *testing.T) storetest.Place {
				return storetest.Place{Marks: taking(t, open(t, config)), Now: time.Now, Pass: time.Sleep}
			})
		})
	}
}

// What else there is works wherever Redis runs too.
func TestKeysChange(t *testing.T) {
	t.Parallel()
	for name, start := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := start(t)
			config.Prefix = "caddy-oauth2:rotation"
			put(t, reopen(t, config), "keys.json", "kept")
			config.EncryptionKeys = []string{strings.Repeat("n", redis.MinKey), encryptionKeys[0]}
			if number, err := reopen(t, config).Reseal(t.Context()); number != 1 || err != nil {
				t.Errorf("%d documents, %v", number, err)
			}
			config.EncryptionKeys = config.EncryptionKeys[:1]
			after := reopen(t, config)
			if document, err := after.Load(t.Context(), "keys.json"); err != nil || string(document) != "kept" {
				t.Errorf("%q, %v", document, err)
			}
			expectChangeIsHeard(t, after, reopen(t, config))
		})
	}
}

// withACL is a user with no more rights than the page asks for, in a database
// with a number.
func withACL(t *testing.T) redis.Config {
	t.Helper()
	server := redistest.Start(t)
	command := []any{"ACL", "SETUSER", "caddy", "on", ">hunter2"}
	for _, right := range rightsOfPage(t) {
		command = append(command, right)
	}
	server.Do(t, command...)
	server.Do(t, "ACL", "SETUSER", "default", "-@all", "+ping")
	return redis.Config{URL: "redis://caddy:hunter2@" + server.Address + "/3"}
}

// rightsOfPage are those that the page asks for.
func rightsOfPage(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/cluster.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^ACL SETUSER caddy on >PASSWORD (.*)$`).FindSubmatch(page)
	if line == nil {
		t.Fatal("docs/cluster.md has no user")
	}
	return strings.Fields(string(line[1]))
}

func sentinelConfig(s *redistest.Sentinels) redis.Config {
	return redis.Config{
		URL: "redis://" + s.Addresses[0], Addresses: s.Addresses[1:], Sentinel: redistest.Master, WaitReplicas: 1,
	}
}

func put(t *testing.T, s *redis.Store, name, content string) {
	t.Helper()
	if err := s.Update(t.Context(), name, func([]byte) ([]byte, error) { return []byte(content), nil }); err != nil {
		t.Fatal(err)
	}
}
