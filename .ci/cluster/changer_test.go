package cluster

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// changer has clients made at one instance and disabled at the next, one after the
// other, and notes what was acknowledged.
type changer struct {
	cluster  *cluster
	made     []person
	disabled map[string]string // a token of each from before, by its id
	count    atomic.Int64
	refused  atomic.Int64
	stop     func()
}

func (c *cluster) changeAll(t testing.TB) *changer {
	t.Helper()
	r := &changer{cluster: c, disabled: make(map[string]string)}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	r.stop = func() { cancel(); all.Wait() }
	t.Cleanup(r.stop)
	all.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			r.changeOne(t, c.nodes[i%len(c.nodes)], c.nodes[(i+1)%len(c.nodes)])
		}
	})
	return r
}

func (r *changer) changeOne(t testing.TB, here, there *node) {
	id := fmt.Sprint("made-", numbers.Add(1))
	got, done := r.change(t, here, http.MethodPost, "/oauth2/clients", `{"client_id":"`+id+`","scopes":["orders:read"]}`)
	if !done {
		return
	}
	made := person{id, got.member("client_secret")}
	r.made = append(r.made, made)
	if len(r.made)%2 == 0 {
		return
	}
	got, err := askToken(here.address(), made.id, made.secret)
	if err != nil || got.status != 200 {
		t.Errorf("a client that was made is not known where it was: %v %s", err, got)
		return
	}
	token := got.member("access_token")
	if _, done = r.change(t, there, http.MethodPatch, "/oauth2/clients/"+id, `{"disabled":true}`); done {
		r.disabled[id] = token
	} else {
		r.made = r.made[:len(r.made)-1] // whether it is disabled, nobody knows
	}
}

// change tells whether a change was acknowledged.
func (r *changer) change(t testing.TB, n *node, method, path, body string) (got answer, done bool) {
	got, err := send(n.admin, method, path, body, "Content-Type: application/json")
	switch {
	case err != nil:
		t.Error(err)
	case got.status/100 == 2:
		r.count.Add(1)
		return got, true
	case got.status == 503:
		r.refused.Add(1)
	case got.status != 404: // it is not known there yet
		t.Errorf("a change that cannot be stored gets %s", got)
	}
	return got, false
}

// more waits for further acknowledgements.
func (r *changer) more(t testing.TB, count int64) {
	t.Helper()
	awaitMore(t, "changes", &r.count, count)
}

// holds looks whether all that was acknowledged is in force everywhere.
func (r *changer) holds(t testing.TB) {
	t.Helper()
	for _, n := range r.cluster.nodes {
		for _, made := range r.made {
			token, off := r.disabled[made.id]
			if made.known(n) == off {
				t.Errorf("client %s was made (disabled: %t) and is otherwise at %s", made.id, off, n.address())
			}
			if off && !refuses(t, token)(n) {
				t.Errorf("client %s was disabled, and its token passes at %s", made.id, n.address())
			}
		}
	}
}
