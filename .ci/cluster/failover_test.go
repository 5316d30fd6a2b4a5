package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis/redistest"
)

// The master of a Redis with Sentinels is killed while revocations and changes of
// clients are acknowledged: a replica takes over, all that was acknowledged is there,
// writing goes on, and nobody else noticed.
func TestFailover(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinels(t)
	more := []string{"sentinel " + redistest.Master, "timeout 1s"}
	for _, address := range s.Addresses[1:] {
		more = append(more, "address "+address)
	}
	c := launch(t, options{store: onRedis(s.Addresses[0], more...)})
	spared := c.nodes[0].token(t, "batch")
	load := drive(t, c.balance(t).address, 2)
	r, clients := c.revokeAll(t), c.changeAll(t)
	r.more(t, 50)
	clients.more(t, 20)
	killed := time.Now()
	s.Master.Kill()
	r.more(t, 50)
	resumed := time.Since(killed)
	clients.more(t, 20)
	r.stop()
	clients.stop()
	load.stop()
	t.Logf("%d revocations acknowledged, %d refused with 503; 50 more were acknowledged %v after the master was killed, "+
		"writing stood still for %v; %d good answers meanwhile", r.count.Load(), r.refused.Load(),
		resumed.Round(time.Millisecond), r.longest.Round(time.Millisecond), load.good.Load())
	t.Logf("%d changes of clients acknowledged, %d refused with 503", clients.count.Load(), clients.refused.Load())
	if load.broken.Load() > 0 {
		t.Errorf("%d requests got no answer", load.broken.Load())
	}
	r.spreads(t)
	r.holds(t)
	clients.holds(t)
	c.restart(t) // what they know now, the new master has told them
	r.holds(t)
	clients.holds(t)
	for _, n := range c.nodes {
		n.get(t, spared).want(t, 200)
	}
	c.isOneIssuer(t)
	roles := ""
	for _, replica := range s.Replicas {
		roles += fmt.Sprint(replica.Do(t, "ROLE"))
	}
	if strings.Count(roles, "master") != 1 {
		t.Errorf("of the replicas, none took over: %s", roles)
	}
}
