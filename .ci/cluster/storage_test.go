package cluster

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// onStorage is a cluster on one storage folder, whose instances look at it each
// second: a quarter of publish_ahead.
func onStorage(t testing.TB) *cluster {
	t.Helper()
	return launch(t, options{signing: "signing ES256 {\npublish_ahead 4s\n}", shared: true})
}

// nextLook is how long a change takes to the other instances, with room for a busy
// machine.
const nextLook = 4 * time.Second

// by waits until an instance does what it should.
func (n *node) by(t testing.TB, patience time.Duration, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("%s: not in force at %s after %v", what, n.address(), patience)
			return
		}
	}
}

// Instances on one storage folder need no Redis to be one issuer: they have one
// key, and learn of changes by their next look.
func TestOneStorage(t *testing.T) {
	t.Parallel()
	c := onStorage(t)
	c.isOneIssuer(t)
	made, taken := new(effects), new(effects)
	for name, take := range takings(t, c.nodes[0]) {
		client := c.nodes[0].addClient(t)
		c.others().everywhere(t, made, client.known)
		token := client.token(t, c.nodes[1])
		for _, n := range c.nodes {
			n.get(t, token).want(t, 200)
		}
		take(token, client)
		t.Log(name)
		c.nodes[0].get(t, token).want(t, 401)
		c.others().everywhere(t, taken, refuses(t, token))
	}
	made.check(t, "making a client", nextLook)
	taken.check(t, "taking something away", nextLook)
}

// An instance is killed while it holds the lock of the keys: the others can change
// keys again as soon as the lock counts as abandoned, and issue and judge tokens
// all the while.
func TestKilledWithLock(t *testing.T) {
	t.Parallel()
	c := onStorage(t)
	holder, other := c.nodes[0], c.nodes[1]
	// All have had the lock as they started. Those who had it within five seconds
	// before keep it alive as if it were theirs still: see docs/operations.md.
	time.Sleep(6 * time.Second)
	token := holder.token(t, "batch")
	holder.dieWithLock(t)
	begin := time.Now()
	done := make(chan answer, 1)
	go func() {
		got, _ := other.changeKeys() // an error has no status
		done <- got
	}()
	for waiting := true; waiting; {
		select {
		case got := <-done:
			got.want(t, 200)
			waiting = false
		case <-time.After(100 * time.Millisecond):
			other.get(t, token).want(t, 200)
			other.get(t, other.token(t, "batch")).want(t, 200)
		}
	}
	// How long that may take, [store.LockTimeout] says: after it there is no 200.
	t.Logf("the lock held others up for %v", time.Since(begin).Round(time.Millisecond))
	holder.begin(t)
	holder.serves(t)
	holder.get(t, token).want(t, 200)
	c.agree(t, func(n *node) string { return n.jwks(t) })
}

func rotate(n *node) (answer, error) {
	return send(n.admin, http.MethodPost, "/oauth2/keys/rotate", "", "Content-Type: application/json")
}

// changeKeys makes a next key, or removes the one that waits. Either needs the lock.
func (n *node) changeKeys() (answer, error) {
	got, err := rotate(n)
	var rotated struct {
		Key keyInfo `json:"key"`
		New bool    `json:"new"`
	}
	if err != nil || json.Unmarshal([]byte(got.body), &rotated) != nil || got.status != 200 || rotated.New {
		return got, err
	}
	return send(n.admin, http.MethodPost, "/oauth2/keys/"+rotated.Key.KID+"/revoke", "", "Content-Type: application/json")
}

// dieWithLock kills the instance at a moment at which it holds the lock of the
// keys, and leaves it behind.
func (n *node) dieWithLock(t testing.TB) {
	t.Helper()
	locks := filepath.Join(n.folder, "data", "caddy", "locks")
	held := func() bool {
		found, err := filepath.Glob(filepath.Join(locks, "*keys.json*"))
		return err == nil && len(found) > 0
	}
	for range 50 {
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			for err := error(nil); err == nil; {
				_, err = n.changeKeys()
			}
		}()
		for !held() {
			runtime.Gosched()
		}
		n.Kill()
		<-stopped
		if held() {
			return
		}
		n.begin(t)
		n.serves(t)
	}
	t.Fatal("the lock was never left behind")
}
