package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// operationsBlock is the block of the page on operations that has the text.
func operationsBlock(t testing.TB, text string) (found string) {
	t.Helper()
	for _, one := range blocksOf(t, filepath.Join(checkout, "docs", "operations.md")) {
		if strings.Contains(one.text, text) {
			found = one.text
		}
	}
	if found == "" {
		t.Fatalf("no block has %s", text)
	}
	return found
}

// Where the lists of what is stored were lost, and what they list was not, the start
// says so, and what the page says to put in their place brings everything back.
func TestRecipeForLostIndexes(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	clients := make(map[string]string)
	for _, id := range []string{"a", "b", "c", "gone"} {
		clients[id] = c.made(t, "client", "add", id, "--scopes", "orders:read").Secret
	}
	c.oauth2(t, "client", "remove", "gone")
	revoked := c.token(t, "a", clients["a"])
	c.oauth2(t, "token", "revoke", revoked)
	c.stop(t)
	lists := []string{c.stored(t, "registry.json"), c.stored(t, "revoked.json")}
	for _, path := range lists {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	c.wantFailure(t, c.command(t, "run", "--config", c.caddyfile(), "--adapter", "caddyfile"), "/registry.json", "/revoked.json", "restore")
	empty := operationsBlock(t, `"shards"`)
	for _, disabled := range []bool{false, true} {
		for _, path := range lists { // the second time, they are older than what they list
			writeFile(t, path, empty)
		}
		c.start(t)
		c.wantRefused(t, revoked)
		c.wantNoToken(t, "gone", clients["gone"])
		for _, id := range []string{"a", "b", "c"} {
			if disabled {
				c.wantNoToken(t, id, clients[id])
				continue
			}
			c.passes(t, c.token(t, id, clients[id]))
			c.oauth2(t, "client", "disable", id)
		}
		c.stop(t)
	}
}

// What the operator is told to put in the place of a damaged replay.json has
// everything refused that was made before, and so has its loss.
func TestRecipeForLostMarks(t *testing.T) {
	t.Parallel()
	lost := operationsBlock(t, `"runs"`)
	for name, happens := range map[string]func(t *testing.T, path string){
		"replaced": func(t *testing.T, path string) { writeFile(t, path, lost) },
		"removed": func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := launchSigning(t)
			used, unused := assertion(t, s.key, "file", nil), assertion(t, s.key, "file", nil)
			s.assert(t, used).wantStatus(t, 200)
			s.stop(t)
			happens(t, s.stored(t, "replay.json"))
			s.start(t)
			for _, raw := range []string{used, unused} {
				s.assert(t, raw).wantError(t, 401, "invalid_client")
			}
			if err := s.await(`"reason":"assertion_stale"`, patience); err != nil {
				t.Error(err)
			}
		})
	}
}
