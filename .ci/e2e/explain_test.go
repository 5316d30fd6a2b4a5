package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const explainCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost:{$PORT}
		client reader {
			secret {env.BATCH_SECRET}
			scopes orders:read
		}
		client bound {
			secret {env.BATCH_SECRET}
			scopes orders:read
		}
	}
}
http://localhost:{$PORT}, http://127.0.0.1:{$PORT} {
	log {
		output file {env.HOME}/access.log
	}
	oauth2_issuer
	handle_path /api/* {
		oauth2_gate {
			require GET /orders/ orders:read
			require POST /orders/ orders:write
			public GET /health
		}
		reverse_proxy {$UPSTREAM} {
			health_uri /health
			health_interval 10ms
		}
	}
}
`

// everything is all files of an instance, which may make and remove some meanwhile.
func everything(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			var text []byte
			if text, err = os.ReadFile(path); err == nil {
				found[path] = string(text)
			}
		}
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// explained asks about a request and returns the result, and the exit status.
func (c *instance) explained(t *testing.T, request string, flags ...string) (answer map[string]any, status int) {
	t.Helper()
	got := c.command(t, append([]string{"oauth2", "explain", "--config", c.caddyfile(), "--json", "--request", request}, flags...)...)
	if err := json.Unmarshal([]byte(got.stdout), &answer); err != nil {
		t.Fatalf("%s: status %d, %v\n%s", request, got.code, err, got.all())
	}
	return answer, got.code
}

// What explain says is what the Caddy that runs on the same storage does; that
// one notices nothing of it, and no file changes.
func TestExplain(t *testing.T) {
	t.Parallel()
	c := launch(t, explainCaddyfile, "BATCH_SECRET="+batchSecret)
	token := c.token(t, "reader", batchSecret)
	path := filepath.Join(t.TempDir(), "token")
	writeFile(t, path, token+"\n")
	for _, row := range []struct {
		method, path string
		token        bool
		want, status int
	}{
		{"GET", "/api/orders/17", true, 200, 0},
		{"GET", "/api/orders/17", false, 401, 2},
		{"POST", "/api/orders/17", true, 403, 2},
		{"GET", "/api/health", false, 200, 0},
		{"GET", "/api/elsewhere", true, 403, 2},
		{"GET", "/api/a%2fb", true, 400, 2},
		{"GET", "/oauth2/jwks", false, 200, 0},
	} {
		var flags, fields []string
		if row.token {
			flags, fields = []string{"--token", "@" + path}, []string{bearer(token)}
		}
		c.send(t, row.method, row.path, "", fields...).wantStatus(t, row.want)
		answer, status := c.explainedUntouched(t, row.method+" "+c.url(row.path), flags...)
		if status != row.status {
			t.Errorf("%s %s: exit status %d, want %d: %v", row.method, row.path, status, row.status, answer)
		}
		if refusal, ok := answer["answer"].(map[string]any); row.want >= 400 && (!ok || refusal["status"] != float64(row.want)) {
			t.Errorf("%s %s: %v, want %d", row.method, row.path, answer["answer"], row.want)
		}
	}
	if got := c.command(t, "oauth2", "coverage", "--config", c.caddyfile()); got.code != 2 || !strings.Contains(got.stdout, "orders:write") {
		t.Errorf("coverage: status %d\n%s", got.code, got.all())
	}
	c.get(t, "/api/orders/17", bearer(token)).wantStatus(t, 200)
}

// explainedUntouched explains a request, and looks whether that changes a file. The
// Caddy that runs beside it writes now and then, explain would each time.
func (c *instance) explainedUntouched(t *testing.T, request string, flags ...string) (answer map[string]any, status int) {
	t.Helper()
	var before, after map[string]string
	for range 10 {
		before = everything(t, c.folder)
		answer, status = c.explained(t, request, flags...)
		if after = everything(t, c.folder); maps.Equal(before, after) {
			return answer, status
		}
	}
	t.Errorf("files before: %v, after: %v", slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
	return answer, status
}

// Before the first start there is nothing, and nothing comes to be.
func TestExplainMakesNothing(t *testing.T) {
	t.Parallel()
	c := prepare(t, explainCaddyfile, "BATCH_SECRET="+batchSecret)
	if answer, status := c.explained(t, "GET "+c.url("/api/health")); status != 0 || answer["result"] != "passed" {
		t.Errorf("status %d: %v", status, answer)
	}
	c.command(t, "oauth2", "coverage", "--config", c.caddyfile())
	if found := everything(t, c.folder); len(found) != 1 {
		t.Errorf("files: %v", slices.Sorted(maps.Keys(found)))
	}
	for _, flags := range [][]string{{"explain"}, {"coverage"}, {"explain", "--config", "/does/not/exist", "--request", "GET http://a/"}} {
		if got := c.command(t, append([]string{"oauth2"}, flags...)...); got.code != 1 || got.stdout != "" {
			t.Errorf("%v: status %d\n%s", flags, got.code, got.all())
		}
	}
}

// redirecting has a site for https, whose port of http is the instance's.
const redirecting = `{
	admin {$ADMIN}
	http_port {$PORT}
	https_port {$HTTPS}
	skip_install_trust
	local_certs
	oauth2 {
		issuer https://api.localhost
	}
}
api.localhost {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate
	reverse_proxy {$UPSTREAM}
}
http://plain.localhost {
	bind 127.0.0.1
	oauth2_gate
	reverse_proxy {$UPSTREAM}
}
OTHERS
`

// Where Caddy redirects from http to https, explain says so, and where not, not.
func TestExplainRedirects(t *testing.T) {
	t.Parallel()
	for name, others := range map[string]string{"sites": "", "and a site for all": "http:// {\n\tbind 127.0.0.1\n\tredir https://elsewhere.example/ 302\n}"} {
		c := launch(t, strings.Replace(redirecting, "OTHERS", others, 1), fmt.Sprintf("HTTPS=%d", freePort(t)))
		for _, host := range []string{"api.localhost", "plain.localhost", "other.localhost"} {
			request, err := http.NewRequest(http.MethodGet, c.url("/orders?page=2"), nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Host = host
			got, err := finish(plainClient.Do(request))
			if err != nil {
				t.Fatal(err)
			}
			answer, status := c.explained(t, "GET http://"+host+"/orders?page=2")
			said, _ := answer["answer"].(map[string]any)
			if said["status"] != float64(got.status) || status != 2 {
				t.Errorf("%s, %s: status %d, %v, and Caddy answers %s", name, host, status, answer, got)
			}
			location := strings.Replace(got.header.Get("Location"), "page=2", "...", 1)
			if header, _ := said["header"].(map[string]any); said["by"] == "the redirect to https" && fmt.Sprint(header["Location"]) != "["+location+"]" {
				t.Errorf("%s, %s: %v, and Caddy answers %s", name, host, answer, got.header)
			}
			if (said["by"] == "the redirect to https") != (got.status == http.StatusPermanentRedirect) {
				t.Errorf("%s, %s: %v", name, host, answer)
			}
		}
	}
}

// The commands of the page print what it says.
func TestExplainPage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(checkout, "docs", "explain.md")
	blocks := blocksOf(t, path)
	folder := t.TempDir()
	sh := newShell(t, folder)
	sh.run(t, "export XDG_DATA_HOME="+folder+"/data XDG_CONFIG_HOME="+folder+"/config NIGHTLY_BATCH_SECRET="+batchSecret+
		"\ncaddy() { "+caddyBinary+` "$@"; }`+"\n")
	for i, one := range blocks {
		switch one.language {
		case "caddyfile":
			writeFile(t, filepath.Join(folder, "Caddyfile"), one.text)
		case "sh":
			output, _ := sh.run(t, one.text)
			if strings.TrimSpace(output) != strings.TrimSpace(blocks[i+1].text) {
				t.Errorf("%s:%d: output:\n%s", path, one.line, output)
			}
		}
	}
}
