package e2e

import (
	"strings"
	"testing"
)

const (
	otherClient    = "client other {\n secret {env.BATCH_SECRET}\n scopes orders:read orders:write\n}"
	disabledClient = "client other {\n secret {env.BATCH_SECRET}\n scopes orders:read orders:write\n disabled\n}"
	lesserClient   = "client other {\n secret {env.BATCH_SECRET}\n scopes orders:read\n}"
	roleClient     = "role clerk orders:read\nclient other {\n secret {env.BATCH_SECRET}\n roles clerk\n}"
)

// wantRefused checks that the token is refused as one whose client may not use
// it any more.
func (c *instance) wantRefused(t testing.TB, token string) {
	t.Helper()
	c.upstream.drain()
	got := c.get(t, "/orders", bearer(token))
	got.wantError(t, 401, "invalid_token")
	c.upstream.silent(t)
}

// A client that is disabled or removed loses its tokens at once and for good,
// also where it is back within the same second: then `iat` tells old and new
// tokens not apart.
func TestClientGoesAndComesBack(t *testing.T) {
	t.Parallel()
	for name, without := range map[string]string{"removed": "", "disabled": disabledClient} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := launchReloadable(t, "", otherClient)
			sameSecond := 0
			for range 5 {
				sameSecond += c.goAndComeBack(t, without)
			}
			t.Logf("in the same second: %d of 5", sameSecond)
		})
	}
}

func (c *instance) goAndComeBack(t *testing.T, without string) (sameSecond int) {
	t.Helper()
	bystander := c.token(t, "batch", batchSecret)
	old := c.token(t, "other", batchSecret)
	c.get(t, "/orders", bearer(old)).wantStatus(t, 200) // now it is remembered as good
	c.mustLoad(t, reloadable("", without))
	c.wantRefused(t, old)
	if got, err := c.tokenRequest("other", batchSecret); err != nil || got.status != 401 {
		t.Errorf("a new token: %s %v", got, err)
	}
	c.mustLoad(t, reloadable("", otherClient))
	c.wantRefused(t, old)
	next := c.token(t, "other", batchSecret)
	c.get(t, "/orders", bearer(next)).wantStatus(t, 200)
	c.wantRefused(t, old)
	c.get(t, "/orders", bearer(bystander)).wantStatus(t, 200)
	_, before := decode(t, old)
	_, after := decode(t, next)
	if before["iat"] == after["iat"] {
		sameSecond = 1
	}
	return sameSecond
}

// A token that carries what its client no longer has is refused; one that
// carries less is good.
func TestScopeTakenAway(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", otherClient)
	all := c.token(t, "other", batchSecret)
	less := c.token(t, "other", batchSecret, "scope", "orders:read")
	for _, token := range []string{all, less} {
		c.get(t, "/orders", bearer(token)).wantStatus(t, 200)
	}
	c.mustReload(t, reloadable("", lesserClient))
	c.wantRefused(t, all)
	c.get(t, "/orders", bearer(less)).wantStatus(t, 200)
	c.get(t, "/orders", bearer(c.token(t, "other", batchSecret))).wantStatus(t, 200)
}

func TestRoleTakenAway(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", roleClient)
	token := c.token(t, "other", batchSecret)
	c.get(t, "/orders", bearer(token)).wantStatus(t, 200)
	c.mustReload(t, reloadable("", lesserClient)) // the scope stays, the role goes
	c.wantRefused(t, token)
}

// What happened while Caddy did not run counts too.
func TestClientGoesWhileStopped(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", otherClient)
	old := c.token(t, "other", batchSecret)
	c.stop(t)
	c.configure(t, reloadable("", ""))
	c.start(t)
	c.wantRefused(t, old)
	c.stop(t)
	c.configure(t, reloadable("", otherClient))
	c.start(t)
	c.wantRefused(t, old)
	c.get(t, "/orders", bearer(c.token(t, "other", batchSecret))).wantStatus(t, 200)
}

// A reload that fails must not have taken anything away. Everything of ours
// can be loaded; the http app cannot listen at an address of another machine.
// Caddy starts apps in no order, hence several attempts. There is no other site:
// Caddy would not stop one that listens already where another one cannot, and the
// connections that it takes are lost.
func TestFailedReloadTakesNothingAway(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", otherClient)
	token := c.token(t, "other", batchSecret)
	elsewhere := strings.Replace(reloadable("", ""), "bind 127.0.0.1", "bind 192.0.2.1", 1)
	for attempt := range 8 {
		if got := c.load(t, elsewhere); got.status == 200 {
			t.Fatal("it was loaded")
		}
		if got := c.get(t, "/orders", bearer(token)); got.status != 200 {
			t.Fatalf("after %d failed reloads: %s", attempt+1, got)
		}
	}
}
