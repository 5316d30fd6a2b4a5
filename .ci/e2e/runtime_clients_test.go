package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// madeClient is what `client add --json` and `secret add --json` print.
type madeClient struct {
	ID       string `json:"client_id"`
	Secret   string `json:"client_secret"`
	SecretID string `json:"secret_id"`
}

// oauth2 runs a command on the instance's Caddy that must succeed.
func (c *instance) oauth2(t testing.TB, words ...string) string {
	t.Helper()
	got := c.command(t, append(append([]string{"oauth2"}, words...), "--address", c.admin)...)
	if got.code != 0 {
		t.Fatalf("%s: status %d\n%s", strings.Join(words, " "), got.code, got.all())
	}
	return got.stdout
}

// made runs a command that makes a secret.
func (c *instance) made(t testing.TB, words ...string) (made madeClient) {
	t.Helper()
	text := c.oauth2(t, append(words, "--json")...)
	if err := json.Unmarshal([]byte(text), &made); err != nil || made.ID == "" || made.Secret == "" || made.SecretID == "" {
		t.Fatalf("%s: %s %v", strings.Join(words, " "), text, err)
	}
	return made
}

func (c *instance) passes(t testing.TB, token string) {
	t.Helper()
	c.get(t, "/orders", bearer(token)).wantStatus(t, 200)
}

// wantNoToken checks that the client gets none with the secret.
func (c *instance) wantNoToken(t testing.TB, id, secret string) {
	t.Helper()
	got, err := c.tokenRequest(id, secret)
	if err != nil {
		t.Fatal(err)
	}
	got.wantError(t, 401, "invalid_client")
}

// A client that is made at run time lives as a configured one does: it gets tokens,
// its secrets are rotated, and what takes its tokens away does so at once and for
// good, over reloads and restarts too.
func TestRuntimeClient(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	first := c.made(t, "client", "add", "app", "--scopes", "orders:read")
	old := c.token(t, "app", first.Secret)
	c.passes(t, old)

	second := c.made(t, "secret", "add", "app", "--expires", "90d")
	c.oauth2(t, "secret", "remove", "app", first.SecretID)
	c.wantNoToken(t, "app", first.Secret)
	c.passes(t, c.token(t, "app", second.Secret))
	c.passes(t, old) // the secret went, and the client stayed

	c.oauth2(t, "client", "disable", "app")
	c.wantRefused(t, old)
	c.wantNoToken(t, "app", second.Secret)
	c.oauth2(t, "client", "enable", "app")
	c.wantRefused(t, old)
	next := c.token(t, "app", second.Secret)
	c.passes(t, next)

	again := func(step string, do func()) {
		t.Helper()
		do()
		c.wantRefused(t, old)
		c.passes(t, next)
		c.passes(t, c.token(t, "app", second.Secret))
		c.wantNoToken(t, "app", first.Secret)
		if t.Failed() {
			t.Fatalf("after a %s", step)
		}
	}
	again("reload", func() { c.mustReload(t, reloadable("", otherClient)) })
	again("restart", func() { c.stop(t); c.start(t) })

	c.oauth2(t, "client", "remove", "app")
	c.wantRefused(t, next)
	c.wantNoToken(t, "app", second.Secret)
	c.stop(t)
	c.start(t)
	third := c.made(t, "client", "add", "app", "--scopes", "orders:read")
	for _, void := range []string{old, next} {
		c.wantRefused(t, void)
	}
	c.passes(t, c.token(t, "app", third.Secret))
	c.wantNoToken(t, "app", second.Secret)
	c.wantUnstored(t, first.Secret, second.Secret, third.Secret)
}

// wantUnstored checks that texts are neither in the storage nor in the log.
func (c *instance) wantUnstored(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		for name, content := range c.files(t) {
			if strings.Contains(content, text) {
				t.Errorf("a secret is in %s", name)
			}
		}
		if strings.Contains(c.output.String(), text) {
			t.Error("a secret is in the log")
		}
	}
}

// A configured client wins over a namesake, and when it goes, neither gets the
// other's tokens.
func TestRuntimeClientBesideConfigured(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	made := c.made(t, "client", "add", "other", "--scopes", "orders:read")
	before := c.token(t, "other", made.Secret)
	c.mustReload(t, reloadable("", otherClient))
	c.wantNoToken(t, "other", made.Secret)
	configured := c.token(t, "other", batchSecret)
	c.passes(t, configured)
	refusal := c.command(t, "oauth2", "client", "disable", "other", "--address", c.admin)
	if refusal.code != 1 || !strings.Contains(refusal.stderr, "stands in the configuration") || refusal.stdout != "" {
		t.Errorf("%d %s", refusal.code, refusal.all())
	}
	c.mustReload(t, reloadable("", ""))
	for _, void := range []string{before, configured} {
		c.wantRefused(t, void)
	}
	c.wantNoToken(t, "other", batchSecret)
	c.passes(t, c.token(t, "other", made.Secret))
}

// Two processes on one storage folder are one issuer: what is done at one is in
// force at the other at its next look, and what both do at once is all there.
func TestRuntimeClientsOfTwoProcesses(t *testing.T) {
	t.Parallel()
	// Instances look at the store each quarter of publish_ahead, at most each 30 s.
	c := launchReloadable(t, "signing ES256 {\n publish_ahead 2s\n}", "")
	twin := c.sibling(t, "BATCH_SECRET="+batchSecret)
	twin.start(t)
	made := c.made(t, "client", "add", "app", "--scopes", "orders:read")
	eventually := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(patience); !holds(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal(what)
			}
		}
	}
	status := func(token string) int { return twin.get(t, "/orders", bearer(token)).status }
	eventually("the other does not know the client", func() bool {
		got, err := twin.tokenRequest("app", made.Secret)
		return err == nil && got.status == http.StatusOK
	})
	token := twin.token(t, "app", made.Secret)
	twin.passes(t, token)

	second := twin.made(t, "secret", "add", "app")
	c.oauth2(t, "client", "disable", "app") // sees the new secret, and keeps it
	c.wantRefused(t, token)
	eventually("the other lets a disabled client pass", func() bool { return status(token) == http.StatusUnauthorized })
	twin.oauth2(t, "client", "enable", "app")
	twin.wantRefused(t, token)
	for _, secret := range []string{made.Secret, second.Secret} {
		twin.passes(t, twin.token(t, "app", secret))
	}
	twin.stop(t)
	if got := c.oauth2(t, "secret", "list", "app", "--json"); !strings.Contains(got, `"secret_id":"2"`) {
		t.Errorf("a secret is lost: %s", got)
	}
}
