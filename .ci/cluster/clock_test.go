package cluster

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// keyConfig is that of all instances whose clocks differ.
var keyConfig = keys.Config{
	Algorithm: token.ES256, RotateEvery: time.Hour, PublishAhead: time.Minute, LongestLifetime: time.Hour,
}

// skewed is an instance in this process, whose clock is its own. What a process
// reads as the time cannot be changed from outside for one that was built by Go.
type skewed struct {
	*node
	now     func() time.Time
	ring    *keys.Ring
	revoked *revocation.List
	gate    *gate.Gate
}

// newSkewed makes one on a Redis that others use too.
func newSkewed(t testing.TB, redisAddress string, key tokentest.Key, now func() time.Time) *skewed {
	t.Helper()
	s, err := redis.New(redis.Config{
		URL: "redis://" + redisAddress, Issuer: issuerURL, EncryptionKeys: []string{sealingKey}, Now: now, Slack: 2 * token.Leeway,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	i := &skewed{now: now, ring: keys.NewRing(s, now), revoked: revocation.NewList(s, now)}
	ledger := client.NewLedger(s)
	if _, err = i.ring.Maintain(t.Context(), keyConfig); err == nil {
		err = s.Resume(t.Context(), true, time.Hour)
	}
	if err == nil {
		err = errors.Join(ledger.Record(t.Context(), map[string]bool{"batch": true, "signer": true}), i.revoked.Load(t.Context()))
	}
	if err != nil {
		t.Fatal(err)
	}
	registry := clientsOf(t, key)
	standing := client.NewStanding(registry, ledger, i.revoked)
	proofs, err := proof.NewChecker(proof.Config{Marks: s, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	i.serve(t, issuer.Config{
		URL: issuerURL, TokenLifetime: time.Hour, Clients: registry, Proofs: proofs, Now: now,
		Authenticator: client.NewAuthenticator(client.AuthenticatorConfig{
			Registry: registry, Memory: client.NewMemory(now), Queue: client.NewQueue(), Marks: s, Now: now,
		}),
		Standing: standing, Epochs: ledger, Revocations: i.revoked, Keys: i.ring,
		Failures: client.NewFailures(now, nil), FailureLimit: client.FailureLimit{Count: 100_000, Per: time.Minute},
	})
	i.gate, err = gate.New(gate.Config{
		Issuers: []gate.Issuer{gate.NewOwn(issuerURL, i.ring, standing)}, Resource: issuerURL, ExternalURL: issuerURL,
		Proofs: proofs, Cache: gate.NewCache(), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func clientsOf(t testing.TB, key tokentest.Key) *client.Registry {
	t.Helper()
	set, err := keys.ParseSet([]byte(tokentest.Set(t, key)))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := client.NewPlainSecret("", secret, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	registry, err := client.NewRegistry([]client.Client{
		{ID: "batch", Secrets: []client.Secret{plain}, Scopes: []string{"orders:read"}, Resources: []string{issuerURL}},
		{ID: "signer", Keys: keys.NewHeld(set), Scopes: []string{"orders:read"}, Resources: []string{issuerURL}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return registry
}

// serve answers at the endpoints, and as the gate everywhere else.
func (s *skewed) serve(t testing.TB, config issuer.Config) {
	t.Helper()
	made, err := issuer.New(config)
	if err != nil {
		t.Fatal(err)
	}
	handlers, err := made.Mount(issuer.Paths{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handler, ours := handlers[r.URL.Path]; ours {
			handler(w, r, issuer.Peer{Address: "192.0.2.1"})
			return
		}
		verdict := s.gate.Check(r.Context(), &gate.Request{
			Method: r.Method, Path: r.URL.Path, EscapedPath: r.URL.EscapedPath(),
			Authorization: r.Header["Authorization"], DPoP: r.Header["Dpop"],
			Target: gate.Target{Method: r.Method, Scheme: "http", Host: "localhost", Path: r.URL.EscapedPath()},
		})
		if !verdict.Allowed {
			http.Error(w, string(verdict.Reason), http.StatusUnauthorized)
		}
	}))
	t.Cleanup(server.Close)
	s.node = &node{at: strings.TrimPrefix(server.URL, "http://")}
}

// One of three clocks is wrong by 20 s, which is less than the leeway: its tokens
// are good everywhere at once and the others' there, what may be used once is used
// once, what it revokes is revoked, and keys change once.
func TestClockThatIsOff(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"ahead": 20 * time.Second, "behind": -20 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, passed := startRedis(t), new(elapsed)
			c, all := &cluster{key: tokentest.NewKey(t, "ES256")}, []*skewed(nil)
			for _, by := range []time.Duration{0, off, 0} {
				i := newSkewed(t, server.Address, c.key, func() time.Time { return time.Now().Add(by + passed.get()) })
				all, c.nodes = append(all, i), append(c.nodes, i.node)
			}
			for _, issuing := range c.nodes {
				raw := issuing.token(t, "batch")
				for _, n := range c.nodes {
					n.get(t, raw).want(t, 200)
				}
				if got, err := revoke(issuing.address(), raw); err != nil || got.status != 200 {
					t.Fatalf("%v %s", err, got)
				}
				for _, n := range all {
					if err := n.revoked.Load(t.Context()); err != nil {
						t.Fatal(err)
					}
					n.get(t, raw).want(t, 401)
				}
			}
			bound := c.nodes[0].token(t, "batch", proofOf(t, c.key, http.MethodPost, "/oauth2/token", ""))
			for range 10 {
				c.once(t, bound)
			}
			rotateOnce(t, all, passed)
		})
	}
}

// elapsed is how much later it is than the system says.
type elapsed struct {
	mutex sync.Mutex
	by    time.Duration
}

func (e *elapsed) get() time.Duration {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.by
}

func (e *elapsed) add(more time.Duration) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.by += more
}

// rotateOnce lets days pass in which all instances look after the keys at the same
// moments: each change of keys is made by one, and no token is refused.
func rotateOnce(t *testing.T, all []*skewed, passed *elapsed) {
	t.Helper()
	var made []string
	var mutex sync.Mutex
	const hours = 6
	for range hours * 4 {
		passed.add(15 * time.Minute)
		var group sync.WaitGroup
		for _, i := range all {
			group.Go(func() {
				changes, err := i.ring.Maintain(t.Context(), keyConfig)
				mutex.Lock()
				defer mutex.Unlock()
				made = append(made, changes.Made...)
				if err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for i, issuing := range all {
			raw := issuing.token(t, "batch")
			for _, n := range all {
				if err := n.ring.Load(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			all[(i+1)%len(all)].get(t, raw).want(t, 200)
		}
	}
	slices.Sort(made)
	if len(slices.Compact(slices.Clone(made))) != len(made) || len(made) < hours-2 || len(made) > hours+1 {
		t.Errorf("%d keys were made in %d hours: %q", len(made), hours, made)
	}
}
