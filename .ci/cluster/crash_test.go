package cluster

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// traffic is what clients behind a balancer see: they get tokens as such clients
// do, and use each a few times.
type traffic struct {
	good, broken atomic.Int64 // answers, and requests without one
	stop         func()
}

// drive lets clients work until stop. An answer other than the right one fails
// the test.
func drive(t testing.TB, address string, clients int) *traffic {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ctx = context.WithValue(ctx, oauth2.HTTPClient, plain)
	var all sync.WaitGroup
	w := &traffic{stop: func() { cancel(); all.Wait() }}
	t.Cleanup(w.stop)
	config := clientcredentials.Config{
		ClientID: "batch", ClientSecret: secret, TokenURL: "http://" + address + "/oauth2/token", AuthStyle: oauth2.AuthStyleInHeader,
	}
	for range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				w.session(ctx, t, &config, address)
				time.Sleep(5 * time.Millisecond) // other tests want the processors too
			}
		})
	}
	return w
}

// session is a token, and what a client does with it.
func (w *traffic) session(ctx context.Context, t testing.TB, config *clientcredentials.Config, address string) {
	token, err := config.Token(ctx)
	if failed := new(oauth2.RetrieveError); errors.As(err, &failed) {
		t.Errorf("a token was refused: %v", err)
	}
	if err != nil {
		w.count(ctx, err)
		return
	}
	w.count(ctx, nil)
	for range 5 {
		got, err := send(address, http.MethodGet, "/orders", "", "Authorization: Bearer "+token.AccessToken)
		if err == nil && (got.status != 200 || got.body != "here") {
			t.Errorf("a good token gets %s", got)
		}
		w.count(ctx, err)
	}
}

func (w *traffic) count(ctx context.Context, err error) {
	switch {
	case err == nil:
		w.good.Add(1)
	case ctx.Err() == nil:
		w.broken.Add(1)
	}
}

// An instance that is killed takes nothing with it but what it was answering: no
// client gets a wrong answer, and what it had acknowledged holds. When it is back
// it is right at once.
func TestKilledInstance(t *testing.T) {
	t.Parallel()
	c := launch(t, options{store: onRedis(startRedis(t).Address)})
	balancer := c.balance(t)
	const clients = 4
	load := drive(t, balancer.address, clients)
	revoked, spared, killed := []string(nil), c.nodes[0].token(t, "batch"), c.nodes[1]
	for range 3 {
		token := killed.token(t, "batch")
		if got, err := revoke(killed.address(), token); err != nil || got.status != 200 {
			t.Fatalf("%v %s", err, got)
		}
		killed.Kill()
		revoked = append(revoked, token)
		before := load.good.Load()
		c.nodes[0].by(t, patience, "traffic without it", func() bool { return load.good.Load() > before+50 })
		killed.begin(t)
		killed.serves(t)
		for _, n := range c.nodes {
			n.get(t, spared).want(t, 200)
			for _, token := range revoked {
				n.get(t, token).want(t, 401)
			}
		}
		if got, err := assert(killed.address(), c.assertion(t)); err != nil || got.status != 200 {
			t.Errorf("an assertion right after the start: %v %s", err, got)
		}
	}
	load.stop()
	t.Logf("%d good answers, %d requests without one", load.good.Load(), load.broken.Load())
	if load.broken.Load() > 3*clients {
		t.Error("expected fewer requests without an answer: at most those in flight at each kill")
	}
}
