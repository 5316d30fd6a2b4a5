package cluster

import (
	"net/http"
	"sync"
	"testing"
)

// rounds is how often the instances race for one statement.
const rounds = 30

// raced sends the same request to all instances, twice each, at the same moment,
// and tells how many succeeded. The others must get the status for a replay.
func (c *cluster) raced(t testing.TB, replay int, try func(n *node) (answer, error)) (passed int) {
	t.Helper()
	var all sync.WaitGroup
	var mutex sync.Mutex
	start := make(chan struct{})
	for i := range 2 * len(c.nodes) {
		n := c.nodes[i%len(c.nodes)]
		all.Go(func() {
			<-start
			got, err := try(n)
			mutex.Lock()
			defer mutex.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case got.status == 200:
				passed++
			case got.status != replay:
				t.Errorf("a replay gets %s", got)
			}
		})
	}
	close(start)
	all.Wait()
	return passed
}

// Whoever overhears an assertion or a proof must not use it again, wherever the
// first use was: of all that come at once, exactly one passes.
func TestOnce(t *testing.T) {
	t.Parallel()
	c := launch(t, options{store: onRedis(startRedis(t).Address)})
	bound := c.nodes[0].token(t, "batch", proofOf(t, c.key, http.MethodPost, "/oauth2/token", ""))
	for range rounds {
		c.once(t, bound)
	}
}

func (c *cluster) once(t testing.TB, bound string) {
	t.Helper()
	statement := c.assertion(t)
	if passed := c.raced(t, 401, func(n *node) (answer, error) { return assert(n.address(), statement) }); passed != 1 {
		t.Errorf("an assertion passed %d times", passed)
	}
	field := proofOf(t, c.key, http.MethodPost, "/oauth2/token", "")
	if passed := c.raced(t, 400, func(n *node) (answer, error) { return askToken(n.address(), "batch", secret, field) }); passed != 1 {
		t.Errorf("a proof passed %d times at token endpoints", passed)
	}
	field = proofOf(t, c.key, http.MethodGet, "/orders", bound)
	if passed := c.raced(t, 401, func(n *node) (answer, error) {
		return send(n.address(), http.MethodGet, "/orders", "", "Authorization: DPoP "+bound, field)
	}); passed != 1 {
		t.Errorf("a proof passed %d times at gates", passed)
	}
}
