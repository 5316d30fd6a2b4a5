package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRestartKeepsKeys(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	token := c.token(t, "batch", batchSecret)
	before := c.files(t)
	c.stop(t)
	c.start(t)
	c.get(t, "/orders", bearer(token)).wantStatus(t, 200)
	if kidOf(t, c.token(t, "batch", batchSecret)) != kidOf(t, token) {
		t.Error("another key signs")
	}
	after := c.files(t)
	for name, text := range before {
		if after[name] != text && filepath.Base(name) != "replay.json" { // which names each run
			t.Errorf("%s changed", name)
		}
	}
}

// files returns what is stored for the issuer.
func (c *instance) files(t testing.TB) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(filepath.Join(c.storage(), "oauth2"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found[path] = readFile(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Private keys are for the owner alone, and so are the folders above.
func TestStoredFilesAreNotForOthers(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	for path := range c.files(t) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s: mode %o", path, mode)
		}
		folder, err := os.Stat(filepath.Dir(path))
		if err != nil || folder.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: mode %o %v", filepath.Dir(path), folder.Mode().Perm(), err)
		}
	}
}

// Two instances on one storage are one issuer, also where both make the first
// start at the same time.
func TestTwoInstancesOnOneStorage(t *testing.T) {
	t.Parallel()
	secret := "BATCH_SECRET=" + batchSecret
	first := prepare(t, reloadable("", ""), secret)
	second := first.sibling(t, secret)
	first.begin(t)
	second.begin(t)
	for _, c := range []*instance{first, second} {
		if err := c.await("serving initial configuration", patience); err != nil {
			t.Fatalf("%v\n%s", err, c.output)
		}
	}
	tokens := []string{first.token(t, "batch", batchSecret), second.token(t, "batch", batchSecret)}
	if kidOf(t, tokens[0]) != kidOf(t, tokens[1]) {
		t.Error("each signs with a key of its own")
	}
	for _, token := range tokens {
		first.get(t, "/orders", bearer(token)).wantStatus(t, 200)
		second.get(t, "/orders", bearer(token)).wantStatus(t, 200)
	}
	if len(first.privateKeys(t)) != 1 {
		t.Error("there is more than one key")
	}
}

// State that cannot be read stops the start. It is named, and never replaced:
// new keys would make every token worthless that is out.
func TestCorruptStateStopsTheStart(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	revoked := c.token(t, "batch", batchSecret)
	c.send(t, "POST", "/oauth2/revoke", form("token", revoked), formType, basic("batch", batchSecret)).wantStatus(t, 200)
	made := c.made(t, "client", "add", "made", "--scopes", "orders:read")
	c.stop(t)
	names := []string{"keys.json", "clients.json", "replay.json", "revoked.json", c.shardOf(t, "revoked"), "registry.json", c.shardOf(t, "registry")}
	for _, name := range names {
		path := c.stored(t, name)
		good := readFile(t, path)
		for kind, text := range map[string]string{
			"cut": good[:len(good)-10], "empty": "", "blank": " \n", "null": "null", "object": "{}", "array": "[]",
			"binary": "\x00\xff\x00", "zeroes": strings.Repeat("\x00", len(good)), "more": good + "{}", "unknown member": strings.Replace(good, "{", `{"unknown":1,`, 1),
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				writeFile(t, path, text)
				before := c.files(t)
				got := c.command(t, "run", "--config", c.caddyfile(), "--adapter", "caddyfile")
				c.wantFailure(t, got, name)
				if strings.Contains(got.all(), "PRIVATE KEY") {
					t.Error("the message quotes the file")
				}
				after := c.files(t)
				if len(after) != len(before) || after[path] != text {
					t.Errorf("the storage changed: %q", after)
				}
			})
		}
		writeFile(t, path, good)
	}
	c.start(t)
	c.passes(t, c.token(t, "batch", batchSecret))
	c.passes(t, c.token(t, "made", made.Secret))
	c.wantRefused(t, revoked)
}

// shardOf is the name of the one document that holds something of a collection.
func (c *instance) shardOf(t testing.TB, collection string) (name string) {
	t.Helper()
	for path := range c.files(t) {
		if base := filepath.Base(path); strings.HasPrefix(base, collection+"-") {
			name = base
		}
	}
	return name
}

// A part of the revoked tokens that went missing stops the start: nobody knows what
// it held. The message names it, and the page says how to go on without it.
func TestMissingPartOfRevokedTokensStopsTheStart(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	revoked := c.token(t, "batch", batchSecret)
	c.send(t, "POST", "/oauth2/revoke", form("token", revoked), formType, basic("batch", batchSecret)).wantStatus(t, 200)
	c.stop(t)
	path := c.stored(t, c.shardOf(t, "revoked"))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	c.wantFailure(t, c.command(t, "run", "--config", c.caddyfile(), "--adapter", "caddyfile"), filepath.Base(path), "backup")
	writeFile(t, path, `{"version":1,"records":{}}`)
	c.start(t)
	c.get(t, "/orders", bearer(revoked)).wantStatus(t, 200)
}

// While it runs, a key file that goes missing is not replaced either.
func TestMissingKeyFileIsNotReplaced(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	token := c.token(t, "batch", batchSecret)
	path := c.stored(t, "keys.json")
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	c.wantFailure(t, c.reload(t, reloadable("", ""), "--force"), "keys.json")
	if _, err := os.Stat(path); err == nil {
		t.Error("new keys were made")
	}
	c.get(t, "/orders", bearer(token)).wantStatus(t, 200)
}
