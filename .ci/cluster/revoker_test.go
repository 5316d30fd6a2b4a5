package cluster

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// revoker has tokens revoked, one after the other at one instance after the
// other, and notes what was acknowledged.
type revoker struct {
	cluster      *cluster
	acknowledged []string
	count        atomic.Int64
	refused      atomic.Int64
	longest      time.Duration // between two acknowledgements
	stop         func()
}

func (c *cluster) revokeAll(t testing.TB) *revoker {
	t.Helper()
	r := &revoker{cluster: c}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	r.stop = func() { cancel(); all.Wait() }
	t.Cleanup(r.stop)
	all.Go(func() {
		last := time.Now()
		for i := 0; ctx.Err() == nil; i++ {
			if r.revokeOne(t, c.nodes[i%len(c.nodes)]) {
				r.longest = max(r.longest, time.Since(last))
				last = time.Now()
			}
		}
	})
	return r
}

func (r *revoker) revokeOne(t testing.TB, n *node) bool {
	got, err := askToken(n.address(), "batch", secret)
	if err != nil || got.status != 200 {
		t.Errorf("a token was refused: %v %s", err, got)
		return false
	}
	token := got.member("access_token")
	got, err = revoke(n.address(), token)
	switch {
	case err != nil:
		t.Error(err)
	case got.status == 200:
		r.acknowledged = append(r.acknowledged, token)
		r.count.Add(1)
		return true
	case got.status != 503 || got.header.Get("Retry-After") == "" || got.member("error") != "temporarily_unavailable":
		t.Errorf("a revocation that cannot be stored gets %s", got)
	default:
		r.refused.Add(1)
	}
	return false
}

// more waits for further acknowledgements.
func (r *revoker) more(t testing.TB, count int64) {
	t.Helper()
	awaitMore(t, "revocations", &r.count, count)
}

// awaitMore waits until so many more were acknowledged.
func awaitMore(t testing.TB, what string, acknowledged *atomic.Int64, count int64) {
	t.Helper()
	aim := acknowledged.Load() + count
	for deadline := time.Now().Add(patience); acknowledged.Load() < aim; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d %s were acknowledged within %v", acknowledged.Load(), aim, what, patience)
		}
	}
}

// spreads waits until all instances know of the last one, and so of all.
func (r *revoker) spreads(t testing.TB) {
	t.Helper()
	known := new(effects)
	r.cluster.everywhere(t, known, refuses(t, r.acknowledged[len(r.acknowledged)-1]))
	t.Logf("the last revocation is known: %s", known)
}

// holds looks whether all that was acknowledged is in force everywhere.
func (r *revoker) holds(t testing.TB) {
	t.Helper()
	for _, n := range r.cluster.nodes {
		for i, token := range r.acknowledged {
			if got := n.get(t, token); got.status != 401 {
				t.Fatalf("revocation %d of %d was acknowledged, and the token gets %s", i+1, len(r.acknowledged), got)
			}
		}
	}
}
