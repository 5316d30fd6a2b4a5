package caddymodule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// started is the shared state of an issuer that has started, on its own storage.
func started(t *testing.T, folder string, alive map[string]bool) *shared {
	t.Helper()
	taken, err := acquire(&StorageStore{storage: &certmagic.FileStorage{Path: folder}}, "https://api.example.com")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := taken.release(); err != nil {
			t.Error(err)
		}
	})
	state := taken.state
	if lost, err := state.load(t.Context()); lost != nil || err != nil {
		t.Fatal(lost, err)
	}
	if err := state.admit(t.Context(), alive); err != nil {
		t.Fatal(err)
	}
	if _, err := state.ring.Maintain(t.Context(), keys.Config{Algorithm: token.ES256, LongestLifetime: time.Hour}); err != nil {
		t.Fatal(err)
	}
	return state
}

// What vanishes under a running process is named each time that it is looked
// for, and written again by the next configuration that starts.
func TestVanishedDocuments(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	state := started(t, folder, map[string]bool{"batch": true})
	if err := state.revoked.Revoke(t.Context(), "a", time.Now().Unix()+60); err != nil {
		t.Fatal(err)
	}
	before := make(map[string]string)
	for _, name := range []string{client.DocumentName, revocation.DocumentName} {
		path := filepath.Join(folder, state.prefix, name)
		content, err := os.ReadFile(path) //nolint:gosec // a file of the test
		if err != nil {
			t.Fatal(err)
		}
		before[path] = string(content)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		lost, err := state.load(t.Context())
		if err != nil || lost == nil || !strings.Contains(lost.Error(), client.DocumentName) || !strings.Contains(lost.Error(), revocation.DocumentName) {
			t.Errorf("%v, %v", lost, err)
		}
	}
	if err := state.admit(t.Context(), map[string]bool{"batch": true}); err != nil {
		t.Fatal(err)
	}
	for path, want := range before {
		if content, err := os.ReadFile(path); err != nil || string(content) != want { //nolint:gosec // a file of the test
			t.Errorf("%s: %s, %v", path, content, err)
		}
	}
	if lost, err := state.load(t.Context()); lost != nil || err != nil {
		t.Error(lost, err)
	}
}
