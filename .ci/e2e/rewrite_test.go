package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// try_files runs before the gate: rules are for the path that it chose.
func TestTryFilesBeforeTheGate(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, name := range []string{"page", "index"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := launch(t, `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		client batch {
			secret {env.BATCH_SECRET}
			scopes orders:read
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	root {env.ROOT}
	try_files {path} /index
	oauth2_issuer
	oauth2_gate {
		public GET /page
		public GET /open/
		require GET /index orders:read
	}
	reverse_proxy {$UPSTREAM}
}
`, "BATCH_SECRET="+batchSecret, "ROOT="+root)
	c.get(t, "/page").wantStatus(t, 200)
	if got := c.upstream.only(t); got.line != "GET /page HTTP/1.1" {
		t.Errorf("got %s", got.line)
	}
	for _, path := range []string{"/open/x", "/index", "/none"} {
		c.get(t, path).wantError(t, 401, "unauthorized")
		c.upstream.silent(t)
	}
}
