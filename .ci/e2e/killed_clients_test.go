package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// clientPromises are what Caddy has acknowledged of clients made at run time.
type clientPromises struct {
	mutex    sync.Mutex
	enabled  map[string]string // client_id to secret
	disabled map[string]string
	removed  map[string]string
}

// note tells what has become of a client.
func (p *clientPromises) note(id, secret string, where map[string]string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	where[id] = secret
}

func (p *clientPromises) count() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return len(p.enabled) + len(p.disabled) + len(p.removed)
}

// The process is killed while fifty changes of clients are on their way. Whatever was
// acknowledged is so after the start: clients with their secrets, those that were
// disabled, and those that were removed.
func TestKilledWhileClientsChange(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	p := &clientPromises{enabled: map[string]string{}, disabled: map[string]string{}, removed: map[string]string{}}
	for round := range 2 { // a lock that a killed process held is waited for, some ten seconds
		before := p.count()
		var workers sync.WaitGroup
		for worker := range 50 {
			workers.Go(func() {
				for i := 0; c.promiseClient(p, fmt.Sprintf("made-%d-%d-%d", round, worker, i), i%3) == nil; i++ {
				}
			})
		}
		for deadline := time.Now().Add(20 * time.Second); p.count() < before+60 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if err := c.process.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-c.exited
		workers.Wait()
		if p.count() == before {
			t.Fatal("nothing was acknowledged: the test tests nothing")
		}
		c.start(t)
		c.keepsClients(t, p)
	}
	c.stop(t)
}

// promiseClient makes a client, and then, for a fate of 1 or 2, disables or removes it.
// While that is on its way nothing is promised.
func (c *instance) promiseClient(p *clientPromises, id string, fate int) error {
	got, err := c.adminPost("/oauth2/clients", fmt.Sprintf(`{"client_id":%q,"scopes":["orders:read"]}`, id))
	if err != nil {
		return err
	}
	var made madeClient
	if got.status != http.StatusCreated || json.Unmarshal([]byte(got.body), &made) != nil {
		return fmt.Errorf("%d %s", got.status, got.body)
	}
	method, body, where := http.MethodPatch, `{"disabled":true}`, p.disabled
	switch fate {
	case 0:
		p.note(id, made.Secret, p.enabled)
		return nil
	case 2:
		method, body, where = http.MethodDelete, "", p.removed
	}
	request, err := http.NewRequest(method, "http://"+c.admin+"/oauth2/clients/"+id, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if got, err = finish(plainClient.Do(request)); err == nil && got.status == http.StatusOK {
		p.note(id, made.Secret, where)
	}
	return err
}

func (c *instance) keepsClients(t *testing.T, p *clientPromises) {
	t.Helper()
	for id, secret := range p.enabled {
		c.token(t, id, secret)
	}
	for _, list := range []map[string]string{p.disabled, p.removed} {
		for id, secret := range list {
			c.wantNoToken(t, id, secret)
		}
	}
	for id := range p.removed {
		if got, err := finish(plainClient.Get("http://" + c.admin + "/oauth2/clients/" + id)); err != nil || got.status != http.StatusNotFound {
			t.Errorf("%s is there again: %v", id, err)
		}
	}
}
