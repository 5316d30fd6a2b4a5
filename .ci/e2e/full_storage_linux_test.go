package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// trouble makes the storage unfit to be written, and fit again.
type trouble struct {
	name      string
	make, end func(t *testing.T)
	says      string // what the log and the admin endpoint call it
}

// troublesOf are what can be made here. With the right to mount, the storage is a
// small file system of its own, which is filled, and mounted for reading alone.
// Without that, a folder stands wherever a file would have to be written: that holds
// for root too, whom permissions do not keep out.
func troublesOf(t *testing.T, c *instance) []trouble {
	t.Helper()
	folder := filepath.Join(c.folder, "data")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=512k,mode=0700")
	if errors.Is(err, fs.ErrPermission) {
		t.Log("no file system can be mounted here: folders stand in the way of files")
		return []trouble{obstruction(c)}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // before that, Caddy has ended
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Error(err)
		}
	})
	remount := func(flags uintptr) func(t *testing.T) {
		return func(t *testing.T) {
			deadline := time.Now().Add(patience)
			err := errors.New("not yet")
			for err != nil && time.Now().Before(deadline) { // a file may be open for a moment
				err = syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT|flags, "size=512k,mode=0700")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	filler := filepath.Join(folder, "filler")
	return []trouble{
		{"full", func(t *testing.T) {
			for size := 4096; size > 0; size /= 2 { // down to the last byte
				for appendTo(filler, make([]byte, size)) == nil {
				}
			}
		}, func(t *testing.T) {
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
		}, "no space left on device"},
		{"read-only", remount(syscall.MS_RDONLY), remount(0), "read-only file system"},
	}
}

func appendTo(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

func obstruction(c *instance) trouble {
	var keys string
	names := func() (paths []string) {
		for i := range 256 {
			for _, name := range []string{"revoked", "registry"} {
				paths = append(paths, filepath.Join(filepath.Dir(keys), fmt.Sprintf("%s-%02x.json", name, i)))
			}
		}
		return append(paths, keys)
	}
	return trouble{"obstructed", func(t *testing.T) {
		keys = c.stored(t, "keys.json")
		for _, path := range names() {
			err := os.Rename(path, path+".away")
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}, func(t *testing.T) {
		for _, path := range names() {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+".away", path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
		}
	}, "is a directory"}
}

// Where nothing can be written, nothing is acknowledged, and the answer and the log
// say why; tokens are issued and judged as before. When the storage is well again,
// so is all else, also after a restart.
func TestStorageThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	c := prepare(t, reloadable("", ""), "BATCH_SECRET="+batchSecret)
	for _, trouble := range troublesOf(t, c) {
		t.Run(trouble.name, func(t *testing.T) {
			c.start(t)
			spared, revoked := c.token(t, "batch", batchSecret), c.token(t, "batch", batchSecret)
			revoke := func(token string) answer {
				return c.send(t, "POST", "/oauth2/revoke", form("token", token), formType, basic("batch", batchSecret))
			}
			revoke(revoked).wantStatus(t, 200)
			keys := c.adminGet(t, "/oauth2/keys")
			known := c.made(t, "client", "add", "known", "--scopes", "orders:read")
			trouble.make(t)
			got := revoke(spared)
			got.wantError(t, 503, "temporarily_unavailable")
			if got.header.Get("Retry-After") == "" || strings.Contains(got.body, trouble.says) {
				t.Errorf("a stranger gets %s", got)
			}
			if err := c.await(trouble.says, patience); err != nil {
				t.Errorf("the log: %v\n%s", err, c.output)
			}
			for path, body := range map[string]string{
				"/oauth2/keys/rotate": "", "/oauth2/keys/" + kidOf(t, spared) + "/revoke": "", "/oauth2/revocations": `{"token":"` + spared + `"}`,
				"/oauth2/clients": `{"client_id":"made"}`, "/oauth2/clients/known/secrets": "",
			} {
				if got, err := c.adminPost(path, body); err != nil || got.status != 503 || !strings.Contains(got.body, trouble.says) {
					t.Errorf("%s: %s %v", path, got, err)
				}
			}
			if got := c.adminGet(t, "/oauth2/keys"); got != keys {
				t.Errorf("keys changed: %s", got)
			}
			c.get(t, "/orders", bearer(c.token(t, "batch", batchSecret))).wantStatus(t, 200)
			c.passes(t, c.token(t, "known", known.Secret))
			c.wantRefused(t, revoked)
			trouble.end(t)
			c.oauth2(t, "client", "remove", "known")
			c.get(t, "/orders", bearer(spared)).wantStatus(t, 200)
			revoke(spared).wantStatus(t, 200)
			c.stop(t)
			c.start(t)
			c.wantRefused(t, spared)
			c.wantRefused(t, revoked)
			c.wantNoToken(t, "known", known.Secret)
		})
	}
}
