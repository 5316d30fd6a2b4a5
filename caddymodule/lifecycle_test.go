package caddymodule_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// files lists what lies in the storage, without locks.
func files(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.Contains(path, "locks") {
			return err
		}
		content, err := os.ReadFile(path) //nolint:gosec // a folder of the test
		found[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func keyFile(t *testing.T, s *site) string {
	t.Helper()
	for path := range files(t, s.storage) {
		if filepath.Base(path) == "keys.json" {
			return path
		}
	}
	t.Fatal("no keys.json")
	return ""
}

// `caddy validate` provisions and cleans up: it must make no key and write nothing.
func TestValidateWritesNothing(t *testing.T) {
	s := newSite(t)
	adapted, err := adapt(s.config(batchClient, "oauth2_gate read"))
	if err != nil {
		t.Fatal(err)
	}
	var config caddy.Config
	if err := caddy.StrictUnmarshalJSON(adapted, &config); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Validate(&config); err != nil {
		t.Fatal(err)
	}
	for path := range files(t, s.storage) {
		if strings.Contains(path, "oauth2") {
			t.Errorf("wrote %s", path)
		}
	}
}

// A configuration that cannot be loaded leaves the running one serving, with
// its keys and tokens, however far the loading came.
func TestBadConfigLeavesTheOldOneServing(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, "oauth2_gate read")
	held := s.token("read")
	keys := keyFile(t, s)
	stored, err := os.ReadFile(keys) //nolint:gosec // a file of the test
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, options, directives, want string }{
		{"placeholder without a value", "client x {\n secret {env.NOT_SET_ANYWHERE}\n}", "oauth2_gate", `client "x"`},
		{"gate that cannot be made", batchClient, "oauth2_gate {\n resource {env.NOT_SET_ANYWHERE}\n}", "resource"},
		{"another app's mistake", batchClient, "oauth2_gate\n rewrite {\n nonsense\n }", ""},
	} {
		err := s.tryLoad(c.options, c.directives)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		s.expect("/", held, 200)
		s.token("read")
	}
	// A stored key that cannot be read stops the load, and is not replaced.
	if err := os.WriteFile(keys, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.tryLoad(batchClient+"\n token_lifetime 30m", "oauth2_gate"); err == nil || !strings.Contains(err.Error(), "keys.json") {
		t.Errorf("corrupt keys: %v", err)
	}
	if content, err := os.ReadFile(keys); err != nil || string(content) != "{" { //nolint:gosec // a file of the test
		t.Errorf("the corrupt file was replaced: %q %v", content, err)
	}
	s.expect("/", held, 200)
	if err := os.WriteFile(keys, stored, 0o600); err != nil {
		t.Fatal(err)
	}
	s.load(batchClient, "oauth2_gate read")
	s.expect("/", held, 200)
}

// Keys are the same after a restart, their file is for the owner alone, and
// tokens from before stay good.
func TestKeysSurviveARestart(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, "oauth2_gate read")
	held := s.token("read")
	_, before := s.expect("/oauth2/jwks", "", 200)
	info, err := os.Stat(keyFile(t, s))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	s.load(batchClient, "oauth2_gate read")
	if _, after := s.expect("/oauth2/jwks", "", 200); after != before {
		t.Fatalf("other keys: %s", after)
	}
	s.expect("/", held, 200)
}

// What is taken from a client is taken from its tokens at once, and a client
// that comes back does not bring its old tokens with it (contract section 7).
func TestClientChanges(t *testing.T) {
	const gate = "oauth2_gate read"
	disabled := strings.Replace(batchClient, "scopes", "disabled\n scopes", 1)
	for _, c := range []struct{ name, between string }{
		{"disabled", disabled},
		{"removed", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.load(batchClient, gate)
			old := s.token("read")
			s.expect("/", old, 200)
			s.load(c.between, gate)
			header, _ := s.expect("/", old, 401)
			if !strings.Contains(header.Get("WWW-Authenticate"), `error="invalid_token"`) {
				t.Error(header.Get("WWW-Authenticate"))
			}
			s.load(batchClient, gate)
			s.expect("/", old, 401)
			s.expect("/", s.token("read"), 200)
		})
	}
	t.Run("scope taken", func(t *testing.T) {
		s := newSite(t)
		s.load(batchClient, gate)
		both, read := s.token("read write"), s.token("read")
		s.load(strings.Replace(batchClient, "read write", "read", 1), gate)
		s.expect("/", both, 401)
		s.expect("/", read, 200)
	})
}

// A changed algorithm waits until the new key has been published long enough;
// tokens of the old key stay good (contract section 4).
func TestAlgorithmChange(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, "oauth2_gate read")
	held := s.token("read")
	s.load(batchClient+"\n signing EdDSA", "oauth2_gate read")
	if _, jwks := s.expect("/oauth2/jwks", "", 200); strings.Count(jwks, `"kid"`) != 2 || !strings.Contains(jwks, "EdDSA") {
		t.Errorf("got %s", jwks)
	}
	s.expect("/", held, 200)
	if fresh := s.token("read"); strings.Split(fresh, ".")[0] != strings.Split(held, ".")[0] {
		t.Error("the new key signs before it was published")
	}
}

// No request fails while configurations come and go.
func TestReloadUnderLoad(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, "oauth2_gate read")
	held := s.token("read")
	var done atomic.Bool
	var requests atomic.Int64
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for !done.Load() {
				if status, _, body := s.get("/", held); status != 200 {
					t.Errorf("gate: %d %s", status, body)
					return
				}
				s.token("read")
				requests.Add(2)
			}
		})
	}
	for i := 0; i < 6 || requests.Load() < 20 && !t.Failed(); i++ {
		options := batchClient
		if i%2 == 0 {
			options += "\n token_lifetime 30m"
		}
		s.load(options, "oauth2_gate read")
	}
	done.Store(true)
	group.Wait()
}

// A revoked token is refused at the gate from the next request on, although
// the gate remembers it; and after reload and restart (contract section 6).
func TestRevocationAtTheGate(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, "oauth2_gate read")
	revoked, kept := s.token("read"), s.token("read")
	s.expect("/", revoked, 200)
	if status, _, body := s.post("/oauth2/revoke", "token="+revoked); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if header, _ := s.expect("/", revoked, 401); !strings.Contains(header.Get("WWW-Authenticate"), "revoked") {
		t.Error(header.Get("WWW-Authenticate"))
	}
	if _, _, body := s.post("/oauth2/introspect", "token="+revoked); body != `{"active":false}` {
		t.Errorf("introspection: %s", body)
	}
	s.load(batchClient+"\n token_lifetime 30m", "oauth2_gate read")
	s.expect("/", revoked, 401)
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	s.load(batchClient, "oauth2_gate read")
	s.expect("/", revoked, 401)
	s.expect("/", kept, 200)
}
