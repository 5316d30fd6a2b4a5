package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis/redistest"
)

// Whoever guesses secrets has no more tries because there are more instances: ten
// wrong ones spread over them are ten, and then the client is refused everywhere
// from that address. Others are not.
func TestFailuresAreShared(t *testing.T) {
	t.Parallel()
	const limit = 10
	server := startRedis(t)
	c := launch(t, options{store: onRedis(server.Address), failures: limit})
	c.hear(t, server)
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
	told.check(t, "refusing a client whose secret is guessed", promised)
	for _, n := range c.nodes {
		n.token(t, "batch")
	}
	time.Sleep(time.Second) // far less than the six minutes that one failure takes to lapse
	for _, n := range c.nodes {
		if got, err := askToken(n.address(), "guessed", secret); err != nil || got.status != 429 {
			t.Errorf("a moment later: %v %s", err, got)
		}
	}
}

// hear waits until all instances listen to what the others say: who began to listen
// later knows nothing of earlier failures.
func (c *cluster) hear(t testing.TB, server *redistest.Server) {
	t.Helper()
	for _, n := range c.nodes {
		n.by(t, patience, "listening", func() bool {
			channels, _ := server.Do(t, "PUBSUB", "CHANNELS").([]any)
			command := []any{"PUBSUB", "NUMSUB"}
			for _, channel := range channels {
				if strings.Contains(fmt.Sprint(channel), "failures") {
					command = append(command, channel)
				}
			}
			listening, _ := server.Do(t, command...).([]any)
			return len(listening) == 2 && fmt.Sprint(listening[1]) == fmt.Sprint(instances)
		})
	}
}
