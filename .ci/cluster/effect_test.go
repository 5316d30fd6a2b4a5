package cluster

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
)

// openRedis opens the store as an instance does. What is changed by way of it is
// changed by one more instance.
func openRedis(t testing.TB, address string) *redis.Store {
	t.Helper()
	s, err := redis.New(redis.Config{URL: "redis://" + address, Issuer: issuerURL, EncryptionKeys: []string{sealingKey}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// people are the clients that are made at run time.
type people struct {
	*client.Directory
	secret, hash string // of all
}

func newPeople(t testing.TB, documents store.Documents) *people {
	t.Helper()
	made := client.NewGenerated()
	hash, err := client.HashSecret(made)
	if err != nil {
		t.Fatal(err)
	}
	return &people{client.NewDirectory(documents, time.Now), made, hash}
}

// add makes a client with both scopes.
func (p *people) add(t testing.TB, id string) {
	t.Helper()
	p.change(t, id, func(*client.Record) *client.Record {
		made := client.StoredSecret{ID: "1", Hash: p.hash, Made: time.Now().UTC()}
		return &client.Record{Scopes: []string{"orders:read", "orders:write"}, Secrets: []client.StoredSecret{made}, NextSecret: 2}
	})
}

func (p *people) change(t testing.TB, id string, change func(*client.Record) *client.Record) {
	t.Helper()
	if _, err := p.Change(t.Context(), id, func(old *client.Record) (*client.Record, error) { return change(old), nil }); err != nil {
		t.Fatal(err)
	}
}

// effects are how long it took until something that was acknowledged was in force
// at another instance.
type effects struct {
	mutex sync.Mutex
	took  []time.Duration
}

// soon is how late a change may be: a second, as promised, and a second more for a
// machine that is busy with several clusters.
const soon = 2 * time.Second

// until waits until an instance does what it should, and notes how long that took.
func (e *effects) until(t testing.TB, n *node, done func() bool) {
	t.Helper()
	begin := time.Now()
	for !done() {
		if time.Since(begin) > soon {
			t.Errorf("not in force at %s after %v", n.address(), soon)
			return
		}
		time.Sleep(time.Millisecond)
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.took = append(e.took, time.Since(begin))
}

func (e *effects) String() string {
	slices.Sort(e.took)
	if len(e.took) == 0 {
		return "nothing"
	}
	at := func(share float64) time.Duration {
		return e.took[int(share*float64(len(e.took)-1))].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%d times: half within %v, nine of ten within %v, all within %v", len(e.took), at(0.5), at(0.9), at(1))
}

// everywhere waits at all instances at once.
func (c *cluster) everywhere(t testing.TB, e *effects, done func(n *node) bool) {
	t.Helper()
	var all sync.WaitGroup
	for _, n := range c.nodes {
		all.Go(func() { e.until(t, n, func() bool { return done(n) }) })
	}
	all.Wait()
}

// refuses tells whether the gate of an instance refuses a token.
func refuses(t testing.TB, token string) func(n *node) bool {
	return func(n *node) bool {
		got, err := send(n.address(), http.MethodGet, "/orders", "", "Authorization: Bearer "+token)
		if err != nil {
			t.Error(err)
		}
		return got.status == 401 && strings.Contains(got.header.Get("WWW-Authenticate"), "invalid_token")
	}
}

// takings are the ways of taking something away. Each takes what the token needs
// that it gets, and returns when that is acknowledged.
func (c *cluster) takings(t testing.TB, people *people) map[string]func(token, id string) {
	return map[string]func(token, id string){
		"revoking a token": func(token, id string) {
			got, err := send(c.nodes[0].address(), http.MethodPost, "/oauth2/revoke", form("token", token), formType, basic(id, people.secret))
			if err != nil || got.status != 200 {
				t.Errorf("%v %s", err, got)
			}
		},
		"revoking a token as an operator": func(token, _ string) {
			c.nodes[0].ask(t, http.MethodPost, "/oauth2/revocations", `{"token":"`+token+`"}`, nil)
		},
		"disabling a client": func(_, id string) {
			people.change(t, id, func(r *client.Record) *client.Record { r.Disabled = true; return r })
		},
		"removing a client": func(_, id string) {
			people.change(t, id, func(*client.Record) *client.Record { return nil })
		},
		"narrowing a client": func(_, id string) {
			people.change(t, id, func(r *client.Record) *client.Record { r.Scopes = []string{"orders:read"}; return r })
		},
		"revoking a key": func(token, _ string) {
			c.nodes[0].ask(t, http.MethodPost, "/oauth2/keys/"+kidOf(t, token)+"/revoke", "", nil)
		},
	}
}

// What is taken away at one instance is refused by the others within a second,
// also where they have just let the token pass; and a new client is known.
func TestEffect(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	c := launch(t, options{store: onRedis(server.Address)})
	c.takeAway(t, newPeople(t, openRedis(t, server.Address)), 5)
}

// The same where no message gets through: each connection that begins to listen
// is ended. Then instances find the change when they look, each second.
func TestEffectWithoutMessages(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	deaf := link(t, server.Address)
	deaf.spoil = func(sent []byte) bool { return bytes.Contains(sent, []byte("subscribe")) }
	c := launch(t, options{store: onRedis(deaf.address)})
	c.takeAway(t, newPeople(t, openRedis(t, server.Address)), 2)
	if heard := fmt.Sprint(server.Do(t, "PUBSUB", "CHANNELS")); heard != "[]" {
		t.Errorf("some instance listens after all: %s", heard)
	}
}

func (c *cluster) takeAway(t testing.TB, people *people, rounds int) {
	t.Helper()
	made := new(effects)
	for name, take := range c.takings(t, people) {
		taken := new(effects)
		for range rounds {
			id := fmt.Sprint("made-", numbers.Add(1))
			people.add(t, id)
			c.everywhere(t, made, func(n *node) bool {
				got, err := askToken(n.address(), id, people.secret)
				return err == nil && got.status == 200
			})
			token := people.token(t, c.nodes[0], id)
			for _, n := range c.nodes {
				n.get(t, token).want(t, 200)
			}
			take(token, id)
			c.everywhere(t, taken, refuses(t, token))
		}
		t.Logf("%s: %s", name, taken)
	}
	t.Logf("making a client: %s", made)
}

func (p *people) token(t testing.TB, n *node, id string) string {
	t.Helper()
	got, err := askToken(n.address(), id, p.secret)
	if err != nil {
		t.Fatal(err)
	}
	got.want(t, 200)
	return got.member("access_token")
}
