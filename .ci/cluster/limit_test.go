package cluster

import (
	"testing"
	"time"
)

// Whoever guesses secrets has no more tries because there are more instances: ten
// wrong ones spread over them are ten, and then the client is refused everywhere
// from that address. Others are not.
func TestFailuresAreShared(t *testing.T) {
	t.Parallel()
	const limit = 10
	c := launch(t, options{store: onRedis(startRedis(t).Address), failures: limit})
	for i := range limit {
		got, err := askToken(c.nodes[i%len(c.nodes)].address(), "guessed", "wrong"+secret)
		if err != nil || got.status != 401 {
			t.Fatalf("failure %d: %v %s", i+1, err, got)
		}
	}
	told := new(effects)
	c.everywhere(t, told, func(n *node) bool {
		got, err := askToken(n.address(), "guessed", secret) // the right one: it adds no failure
		return err == nil && got.status == 429 && got.header.Get("Retry-After") != ""
	})
	told.check(t, "refusing a client whose secret is guessed")
	for _, n := range c.nodes {
		n.token(t, "batch")
	}
	time.Sleep(2 * 60 * time.Second / limit / 10) // far less than one failure takes to lapse
	for _, n := range c.nodes {
		if got, err := askToken(n.address(), "guessed", secret); err != nil || got.status != 429 {
			t.Errorf("a moment later: %v %s", err, got)
		}
	}
}
