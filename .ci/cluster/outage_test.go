package cluster

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// restart ends all instances in order and starts them again: what they know then
// is what is stored.
func (c *cluster) restart(t testing.TB) {
	t.Helper()
	for _, n := range c.nodes {
		n.End(t)
	}
	for _, n := range c.nodes {
		n.begin(t)
	}
	for _, n := range c.nodes {
		n.serves(t)
	}
}

// Redis is restarted, in order and by force, while revocations are acknowledged:
// none of them is lost, no other token either, and nothing needs a hand.
func TestRestartOfRedis(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	c := launch(t, options{store: onRedis(server.Address)})
	spared, keys := c.nodes[0].token(t, "batch"), c.nodes[0].jwks(t)
	r := c.revokeAll(t)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGKILL} {
		r.more(t, 20)
		server.End(t, signal)
		server.Restart(t)
	}
	r.more(t, 20)
	r.stop()
	t.Logf("%d revocations acknowledged, %d refused with 503, writing stood still for at most %v",
		r.count.Load(), r.refused.Load(), r.longest.Round(time.Millisecond))
	r.spreads(t)
	r.holds(t)
	c.restart(t)
	r.holds(t)
	for _, n := range c.nodes {
		n.get(t, spared).want(t, 200)
		if got := n.jwks(t); got != keys {
			t.Errorf("the keys are others: %s", got)
		}
	}
}

// outage is how long Redis cannot be reached, and timeout how long one command may
// take: a request has two of them at most.
const (
	outage  = 30 * time.Second
	timeout = time.Second
)

// Redis cannot be reached for half a minute, as where a cable is pulled. Gates
// and known clients go on, what needs Redis is refused with 503 and never hangs,
// the log says so once. Then everything heals, and what was changed meanwhile by
// who could reach Redis holds.
func TestRedisOutOfReach(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	way := link(t, server.Address)
	c := launch(t, options{store: onRedis(way.address, "timeout 1s")})
	reaching := c.join(t, options{store: onRedis(server.Address)}) // an instance elsewhere
	late := reaching.addClient(t)
	c.everywhere(t, new(effects), late.known)
	lost := late.token(t, c.nodes[0])
	for _, n := range c.nodes {
		n.get(t, lost).want(t, 200)
	}
	bound := c.nodes[0].token(t, "batch", proofOf(t, c.key, http.MethodPost, "/oauth2/token", ""))
	revoked := c.nodes[1].token(t, "batch")
	if got, err := revoke(c.nodes[2].address(), revoked); err != nil || got.status != 200 {
		t.Fatalf("%v %s", err, got)
	}
	c.everywhere(t, new(effects), refuses(t, revoked))

	load := drive(t, c.balance(t).address, 2)
	way.cut()
	reaching.ask(t, http.MethodPatch, "/oauth2/clients/"+late.id, `{"disabled":true}`, nil)
	answers := c.without(t, bound, lost, revoked)
	way.mend()
	healed := c.heals(t, lost, revoked)
	load.stop()
	t.Logf("%v after the return of Redis all was well; %d good answers of other traffic", healed.Round(time.Millisecond), load.good.Load())
	answers.check(t, "answering without Redis", 3*timeout) // what its commands may take, and a little
	if load.broken.Load() > 0 {
		t.Errorf("%d requests got no answer", load.broken.Load())
	}
}

// without asks for everything again and again as long as Redis is out of reach,
// and returns how long the answers took that need it.
func (c *cluster) without(t testing.TB, bound, known, revoked string) *effects {
	t.Helper()
	begin, needing := time.Now(), new(effects)
	fresh := ""
	timed := func(what string, status int, ask func() (answer, error)) answer {
		t.Helper()
		started := time.Now()
		got, err := ask()
		if status == 503 {
			needing.took = append(needing.took, time.Since(started))
		}
		if err != nil || got.status != status {
			t.Errorf("%s after %v: expected %d, got %v %s", what, time.Since(begin).Round(time.Millisecond), status, err, got)
		}
		if status == 503 && got.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After: %s", what, got)
		}
		return got
	}
	for i := 0; time.Since(begin) < outage; i++ {
		n := c.nodes[i%len(c.nodes)]
		get := func(fields ...string) func() (answer, error) {
			return func() (answer, error) { return send(n.address(), http.MethodGet, "/orders", "", fields...) }
		}
		timed("a known token", 200, get("Authorization: Bearer "+known))
		timed("a revoked token", 401, get("Authorization: Bearer "+revoked))
		fresh = timed("a secret", 200, func() (answer, error) { return askToken(n.address(), "batch", secret) }).member("access_token")
		timed("a new token", 200, get("Authorization: Bearer "+fresh))
		timed("a wrong secret", 401, func() (answer, error) { return askToken(n.address(), "batch", "wrong"+secret) })
		timed("an assertion", 503, func() (answer, error) { return assert(n.address(), c.assertion(t)) })
		timed("a proof at the token endpoint", 503, func() (answer, error) {
			return askToken(n.address(), "batch", secret, proofOf(t, c.key, http.MethodPost, "/oauth2/token", ""))
		})
		timed("a proof at the gate", 503, get("Authorization: DPoP "+bound, proofOf(t, c.key, http.MethodGet, "/orders", bound)))
		timed("a revocation", 503, func() (answer, error) { return revoke(n.address(), fresh) })
		timed("what was not revoked", 200, get("Authorization: Bearer "+fresh))
		time.Sleep(50 * time.Millisecond)
	}
	for _, n := range c.nodes {
		if got := n.metric(t, "caddy_oauth2_store_up"); got != "0" {
			t.Errorf("store_up is %s", got)
		}
	}
	return needing
}

// heals waits until everything works again, and returns how long that took.
func (c *cluster) heals(t testing.TB, lost, revoked string) time.Duration {
	t.Helper()
	begin := time.Now()
	for _, n := range c.nodes {
		works := func() bool {
			asserted, err := assert(n.address(), c.assertion(t))
			return err == nil && asserted.status == 200 && n.metric(t, "caddy_oauth2_store_up") == "1" && refuses(t, lost)(n)
		}
		for deadline := time.Now().Add(patience); !works(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s has not recovered after %v: %s", n.address(), patience, n.Output)
			}
		}
	}
	took := time.Since(begin)
	for _, n := range c.nodes {
		n.get(t, revoked).want(t, 401)
		token := n.token(t, "batch")
		if got, err := revoke(n.address(), token); err != nil || got.status != 200 {
			t.Errorf("%v %s", err, got)
		}
		c.everywhere(t, new(effects), refuses(t, token))
		for _, line := range []string{"the store does not answer: gates go on", "the store answers again"} {
			// A busy machine alone can make a command take longer than its time, so
			// that there is a second outage; of one, hundreds of requests would tell.
			if count := strings.Count(n.Output.String(), line); count < 1 || count > 3 {
				t.Errorf("%q stands in the log %d times", line, count)
			}
		}
	}
	return took
}

// metric is the value of one without labels.
func (n *node) metric(t testing.TB, name string) string {
	t.Helper()
	got, err := send(n.admin, http.MethodGet, "/metrics", "")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(got.body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return fmt.Sprintf("no %s in %s", name, got.body)
}
