package cluster

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis/redistest"
)

// startRedis runs a Redis that loses nothing that it acknowledged.
func startRedis(t testing.TB) *redistest.Server {
	t.Helper()
	return redistest.Start(t, "--appendfsync", "always")
}

// Instances that start at the same moment make one key, publish the same set, and
// take each other's tokens: clients must not notice which one they met.
func TestOneIssuer(t *testing.T) {
	t.Parallel()
	c := launch(t, options{store: onRedis(startRedis(t).Address)})
	c.isOneIssuer(t)
}

func (c *cluster) isOneIssuer(t testing.TB) {
	t.Helper()
	set, keys := c.nodes[0].jwks(t), c.nodes[0].keys(t)
	if len(keys) != 1 {
		t.Fatalf("%d keys were made", len(keys))
	}
	for _, issuing := range c.nodes {
		token := issuing.token(t, "batch")
		if kidOf(t, token) != keys[0].KID {
			t.Error("a key of its own signs at one instance")
		}
		for _, n := range c.nodes {
			n.get(t, token).want(t, 200)
			got := n.must(t, http.MethodPost, "/oauth2/introspect", form("token", token), formType, basic("batch", secret))
			if got.member("active") != "true" {
				t.Errorf("introspection: %s", got)
			}
		}
		if got := issuing.jwks(t); got != set {
			t.Errorf("key sets differ: %s, %s", got, set)
		}
	}
}

// Two operators who rotate at two instances at the same moment get one and the
// same next key: a second one would sign for no reason, and long stay published.
func TestRotationByHandAtTwo(t *testing.T) {
	t.Parallel()
	c := launch(t, options{store: onRedis(startRedis(t).Address)})
	var made sync.Map
	var all sync.WaitGroup
	for _, n := range c.nodes {
		all.Go(func() {
			got, err := rotate(n)
			if err != nil || got.status != 200 {
				t.Errorf("%v %s", err, got)
			}
			if got.member("new") == "true" {
				made.Store(n, true)
			}
		})
	}
	all.Wait()
	count := 0
	made.Range(func(any, any) bool { count++; return true })
	if count != 1 {
		t.Errorf("%d instances say that they made the next key", count)
	}
	c.agree(t, func(n *node) string { return n.jwks(t) })
	if keys := c.nodes[0].keys(t); len(keys) != 2 || keys[0].State != "active" || keys[1].State != "next" {
		t.Errorf("%+v", keys)
	}
}

// agree waits until all instances answer the same, for a moment: what one has
// changed reaches the others at once, though not before it was acknowledged.
func (c *cluster) agree(t testing.TB, ask func(n *node) string) {
	t.Helper()
	var answers []string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		answers = answers[:0]
		for _, n := range c.nodes {
			answers = append(answers, ask(n))
		}
		if slices.Equal(answers[1:], answers[:len(answers)-1]) {
			return
		}
	}
	t.Errorf("instances differ: %q", answers)
}

// A rotation that is due is made once, by whichever instance comes first; all
// sign with the same key then, and no token is refused meanwhile.
func TestRotationThatIsDue(t *testing.T) {
	t.Parallel()
	const every = 3 * time.Second
	c := launch(t, options{
		store: onRedis(startRedis(t).Address), signing: "token_lifetime 30s\nsigning ES256 {\nrotate_every 3s\npublish_ahead 1s\n}",
	})
	for deadline := time.Now().Add(patience); len(c.nodes[0].keys(t)) < 5; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d keys after %v", len(c.nodes[0].keys(t)), patience)
		}
		for i, n := range c.nodes {
			c.nodes[(i+1)%len(c.nodes)].get(t, n.token(t, "batch")).want(t, 200)
		}
	}
	keys := c.nodes[0].keys(t)
	for i := 1; i < len(keys); i++ {
		if apart := keys[i].SignsFrom.Sub(keys[i-1].SignsFrom); apart < every-time.Second {
			t.Errorf("key %d takes over after %v", i, apart)
		}
	}
}
