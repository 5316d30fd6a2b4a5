package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// adminPost sends a document, empty for none, to the admin endpoint.
func (c *instance) adminPost(path, body string) (answer, error) {
	return finish(plainClient.Post("http://"+c.admin+path, "application/json", strings.NewReader(body)))
}

// promises are what Caddy has acknowledged.
type promises struct {
	mutex   sync.Mutex
	revoked []string // tokens
	made    []string // kids that are published
	removed []string // kids of keys that were revoked
}

func (p *promises) note(list *[]string, text string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	*list = append(*list, text)
}

// count is how many tokens, or keys, were revoked.
func (p *promises) count(keys bool) int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if keys {
		return len(p.removed)
	}
	return len(p.revoked)
}

// The process is killed at random moments while it acknowledges revocations of
// tokens and keys, and rotations. What was acknowledged is there after the start,
// what is stored can be read, and work goes on.
func TestKilled(t *testing.T) {
	t.Parallel()
	const chains, kills = 3, 4 // a lock that a killed process held is waited for, some ten seconds
	for chain := range chains {
		t.Run(fmt.Sprint(chain), func(t *testing.T) {
			t.Parallel()
			c := launchReloadable(t, "signing EdDSA {\n publish_ahead 1s\n}", "")
			kept, p := c.token(t, "batch", batchSecret), new(promises)
			for range kills {
				before := p.count(chain == 2)
				ended := c.promise(t, p, chain == 2)
				for deadline := time.Now().Add(patience); p.count(chain == 2) == before && time.Now().Before(deadline); {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond) //nolint:gosec // any moment
				if err := c.process.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				<-c.exited
				ended()
				c.start(t)
				if chain == 2 {
					kept = c.token(t, "batch", batchSecret)
				}
				c.keeps(t, p, kept)
			}
			if p.count(chain == 2) == 0 {
				t.Errorf("acknowledged: %d tokens, %d new keys, %d revoked ones: the test tests nothing", len(p.revoked), len(p.made), len(p.removed))
			}
			c.stop(t)
		})
	}
}

// promise has Caddy acknowledge as much as it can until it is gone; ended waits for
// that.
func (c *instance) promise(t *testing.T, p *promises, keys bool) (ended func()) {
	t.Helper()
	var tokens []string
	for range 60 {
		tokens = append(tokens, c.token(t, "batch", batchSecret))
	}
	var workers sync.WaitGroup
	for worker := range 2 {
		workers.Go(func() {
			for i := worker; i < len(tokens); i += 2 {
				got, err := c.tryOnce(http.MethodPost, "/oauth2/revoke", form("token", tokens[i]), []string{formType, basic("batch", batchSecret)})
				if err != nil {
					return
				}
				if got.status == http.StatusOK {
					p.note(&p.revoked, tokens[i])
				}
			}
		})
	}
	workers.Go(func() {
		for c.promiseKey(p, keys) == nil {
		}
	})
	return workers.Wait
}

// promiseKey makes the next key, or revokes the one that signs.
func (c *instance) promiseKey(p *promises, revoke bool) error {
	got, err := c.adminPost("/oauth2/keys/rotate", "")
	if err != nil {
		return err
	}
	var rotated struct{ Key struct{ Kid string } }
	if !revoke && got.status == http.StatusOK && json.Unmarshal([]byte(got.body), &rotated) == nil {
		p.note(&p.made, rotated.Key.Kid)
	}
	if !revoke {
		return nil
	}
	got, err = finish(plainClient.Get("http://" + c.admin + "/oauth2/keys"))
	if err != nil {
		return err
	}
	var list struct{ Keys []struct{ Kid string } }
	if err = json.Unmarshal([]byte(got.body), &list); err != nil {
		return err
	}
	kid := list.Keys[0].Kid
	if got, err = c.adminPost("/oauth2/keys/"+kid+"/revoke", ""); err == nil && got.status == http.StatusOK {
		p.note(&p.removed, kid)
	}
	return err
}

// keeps checks that nothing was lost that Caddy has acknowledged.
func (c *instance) keeps(t *testing.T, p *promises, kept string) {
	t.Helper()
	for _, token := range p.revoked {
		c.get(t, "/orders", bearer(token)).wantError(t, 401, "invalid_token")
	}
	c.get(t, "/orders", bearer(kept)).wantStatus(t, 200)
	published := make(map[string]bool)
	for _, key := range c.keySet(t).Keys {
		published[key.KeyID] = true
	}
	for _, kid := range p.made {
		if !published[kid] {
			t.Errorf("a new key is lost: %s", kid)
		}
	}
	for _, kid := range p.removed {
		if published[kid] {
			t.Errorf("a revoked key is back: %s", kid)
		}
	}
}
