package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// reloadCaddyfile has words that tests change, such as CLIENTS.
const reloadCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		SIGNING
		client batch {
			secret {env.BATCH_SECRET}
			scopes orders:read
		}
		CLIENTS
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate orders:read
	reverse_proxy {$UPSTREAM}
}
`

// reloadable returns the Caddyfile with further lines in the global option.
func reloadable(signing, clients string) string {
	return strings.NewReplacer("SIGNING", signing, "CLIENTS", clients).Replace(reloadCaddyfile)
}

func launchReloadable(t *testing.T, signing, clients string) *instance {
	t.Helper()
	return launch(t, reloadable(signing, clients), "BATCH_SECRET="+batchSecret)
}

// No request fails while configurations come and go.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	ctx, stop := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	counts := make([]int, 4)
	for i := range counts {
		workers.Go(func() { counts[i] = c.useUntilDone(ctx, t, i%2 == 0) })
	}
	for i := range 10 {
		clients, flags := "", []string(nil)
		switch i % 3 {
		case 1: // a change
			clients = fmt.Sprintf("client more%d {\n secret {env.BATCH_SECRET}\n }", i)
		case 2: // the whole work without a change
			flags = []string{"--force"}
		}
		if got := c.reload(t, reloadable("", clients), flags...); got.code != 0 {
			t.Errorf("reload %d: %s", i, got.all())
		}
	}
	stop()
	workers.Wait()
	for i, count := range counts {
		if count < 10 {
			t.Errorf("worker %d made %d requests: too few to show anything", i, count)
		}
	}
	t.Logf("requests: %v", counts)
}

// useUntilDone asks for tokens and uses them until the context ends. A worker
// that keeps one token shows that none is forgotten.
func (c *instance) useUntilDone(ctx context.Context, t *testing.T, keep bool) (count int) {
	token := ""
	for ctx.Err() == nil {
		if token == "" || !keep {
			got, err := c.tokenRequest("batch", batchSecret)
			if err != nil || got.status != http.StatusOK {
				t.Errorf("token: %s %v", got, err)
				return count
			}
			token, _ = got.members(t)["access_token"].(string)
			count++
		}
		got, err := c.try(http.MethodGet, "/orders", "", bearer(token))
		if err != nil || got.status != http.StatusOK {
			t.Errorf("gate: %s %v", got, err)
			return count
		}
		count++
	}
	return count
}

// A request that has begun ends well, though the configuration that it began
// with is gone.
func TestReloadDuringARequest(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	token := c.token(t, "batch", batchSecret)
	for _, row := range []struct{ name, line, field, want string }{
		{"token endpoint", "POST /oauth2/token HTTP/1.1", basic("batch", batchSecret), "access_token"},
		{"gate", "POST /orders HTTP/1.1", bearer(token), "from the API"},
	} {
		t.Run(row.name, func(t *testing.T) {
			connection := c.dial(t)
			half := len(grantForm) / 2
			head := lines(row.line, "Host: localhost", formType, row.field, fmt.Sprintf("Content-Length: %d", len(grantForm)), "", "")
			if _, err := io.WriteString(connection, head+grantForm[:half]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond) // until a handler waits for the rest
			c.mustReload(t, reloadable("", "client "+t.Name()+" {\n secret {env.BATCH_SECRET}\n}"))
			if _, err := io.WriteString(connection, grantForm[half:]); err != nil {
				t.Fatal(err)
			}
			got, err := finish(http.ReadResponse(bufio.NewReader(connection), nil))
			if err != nil || got.status != 200 || !strings.Contains(got.body, row.want) {
				t.Errorf("%s %v", got, err)
			}
		})
	}
}

// A configuration that cannot be loaded changes nothing, and the message says
// where the mistake is.
func TestReloadOfABrokenConfiguration(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	token := c.token(t, "batch", batchSecret)
	rows := []struct {
		name      string
		caddyfile string
		says      []string
	}{
		{"unknown subdirective", reloadable("sining ES256", ""), []string{"Caddyfile:5", `"sining"`, "signing"}},
		{"unset variable", reloadable("", "client more {\n secret {env.NOT_SET}\n}"), []string{`client "more"`, "secret", "NOT_SET"}},
		{"missing file", reloadable("", "client more {\n secret {file./nowhere/secret}\n}"), []string{`client "more"`, "secret"}},
		{"alias among the scopes", reloadable("scope_alias all", "client more {\n scopes all\n}"), []string{"Caddyfile:", `client "more"`, `"all"`}},
		{"pattern with a star", strings.Replace(reloadable("", ""), "oauth2_gate orders:read", "oauth2_gate {\n require GET /a/* orders:read\n}", 1), []string{"Caddyfile:", "/a/*", "/a/"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got := c.reload(t, row.caddyfile)
			c.wantFailure(t, got, row.says...)
			c.get(t, "/orders", bearer(token)).wantStatus(t, 200)
			c.get(t, "/orders", bearer(c.token(t, "batch", batchSecret))).wantStatus(t, 200)
		})
	}
	t.Run("corrupt state", func(t *testing.T) {
		for _, name := range []string{"keys.json", "clients.json"} {
			path := c.stored(t, name)
			good := readFile(t, path)
			writeFile(t, path, good[:len(good)/2])
			got := c.reload(t, reloadable("", ""), "--force")
			c.wantFailure(t, got, name)
			if readFile(t, path) != good[:len(good)/2] {
				t.Errorf("%s was replaced", name)
			}
			c.get(t, "/orders", bearer(token)).wantStatus(t, 200)
			c.get(t, "/orders", bearer(c.token(t, "batch", batchSecret))).wantStatus(t, 200)
			writeFile(t, path, good)
		}
	})
	c.mustReload(t, reloadable("", "client more {\n secret {env.BATCH_SECRET}\n}"))
	c.get(t, "/orders", bearer(token)).wantStatus(t, 200)
}

// wantFailure checks that a command failed and that it said all of this.
func (c *instance) wantFailure(t testing.TB, got result, says ...string) {
	t.Helper()
	if got.code == 0 {
		t.Errorf("it succeeded: %s", got.all())
	}
	message := strings.ReplaceAll(got.all(), `\`, "") // logged JSON may hold JSON
	for _, text := range says {
		if !strings.Contains(message, text) {
			t.Errorf("no %q in: %s", text, got.all())
		}
	}
}

// Counters go on where they were.
func TestMetricsSurviveReload(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	token := c.token(t, "batch", batchSecret)
	c.get(t, "/orders", bearer(token))
	c.get(t, "/orders", bearer("a.b.c"))
	_, _ = c.tokenRequest("batch", "wrong-secret-wrong-secret")
	before := c.counters(t)
	for _, name := range []string{"tokens_issued", "tokens_refused", "requests_passed", "requests_refused"} {
		if !strings.Contains(before, "caddy_oauth2_"+name+"_total{") {
			t.Errorf("no counter %s in %s", name, before)
		}
	}
	c.mustReload(t, reloadable("", "client more {\n secret {env.BATCH_SECRET}\n}"))
	if after := c.counters(t); after != before {
		t.Errorf("before the reload:\n%safter:\n%s", before, after)
	}
	c.get(t, "/orders", bearer(token))
	if c.counters(t) == before {
		t.Error("after the reload nothing is counted any more")
	}
}

var counterLine = regexp.MustCompile(`(?m)^caddy_oauth2_\w+_total.*\n`)

func (c *instance) counters(t testing.TB) string {
	t.Helper()
	return strings.Join(counterLine.FindAllString(c.adminGet(t, "/metrics"), -1), "")
}

// A secret in a file is read again by a reload that changes nothing else.
func TestReloadReadsSecretFiles(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/secret"
	writeFile(t, path, "first-secret-of-the-file")
	caddyfile := reloadable("", "client filed {\n secret {file."+path+"}\n scopes orders:read\n}")
	c := launch(t, caddyfile, "BATCH_SECRET="+batchSecret)
	token := c.token(t, "filed", "first-secret-of-the-file")
	writeFile(t, path, "second-secret-of-the-file")
	if got := c.reload(t, caddyfile, "--force"); got.code != 0 {
		t.Fatal(got.all())
	}
	c.token(t, "filed", "second-secret-of-the-file")
	if got, err := c.tokenRequest("filed", "first-secret-of-the-file"); err != nil || got.status != 401 {
		t.Errorf("the old secret: %s %v", got, err)
	}
	c.get(t, "/orders", bearer(token)).wantStatus(t, 200)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	c.wantFailure(t, c.reload(t, caddyfile, "--force"), `client "filed"`, "secret")
	c.token(t, "filed", "second-secret-of-the-file")
}
