package caddymodule

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Looking at a configuration reads what instances share in Redis, and leaves
// everything there as it is: no key is made, and no client counts as removed.
func TestExplainLeavesRedisAlone(t *testing.T) {
	server := miniredis.RunT(t)
	const key = "the key with which Redis is sealed"
	config, err := adapt([]byte("{\n oauth2 {\n issuer http://localhost:8080\n store redis redis://" + server.Addr() +
		" {\n encryption_key \"" + key + "\"\n }\n }\n}\nhttp://localhost:8080 {\n oauth2_issuer\n oauth2_gate\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	look := func() *App {
		t.Helper()
		before := server.Dump()
		made, err := lookAtConfig([]byte(config), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := made.close(); err != nil {
				t.Error(err)
			}
		})
		if after := server.Dump(); after != before {
			t.Errorf("Redis was changed:\n%s", after)
		}
		return made.app
	}
	look()

	stored, err := redis.New(redis.Config{URL: "redis://" + server.Addr(), Issuer: "http://localhost:8080", EncryptionKeys: []string{key}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stored.Close() }()
	if err := startedOn(t, stored); err != nil {
		t.Fatal(err)
	}
	ring := keys.NewRing(stored, time.Now)
	if err := ring.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if seen := look().shared.ring.List(); len(seen) != 1 || seen[0].ID != ring.List()[0].ID {
		t.Errorf("explain sees %v", seen)
	}
}

// startedOn leaves what a Caddy without clients leaves.
func startedOn(t *testing.T, stored *redis.Store) error {
	t.Helper()
	if err := client.NewLedger(stored).Admit(t.Context(), map[string]bool{}); err != nil {
		return err
	}
	_, err := keys.NewRing(stored, time.Now).Maintain(t.Context(), keys.Config{Algorithm: token.ES256, LongestLifetime: time.Hour})
	return err
}
