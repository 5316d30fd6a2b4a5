package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// reportCaddyfile has a gate with a rule.
const reportCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost:{$PORT}
		client reader {
			secret {env.BATCH_SECRET}
			scopes orders:read orders:write
		}
	}
}
http://:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate {
		require GET /orders orders:read
	}
	reverse_proxy {$UPSTREAM}
}
`

// reportOf asks the running Caddy for the report as JSON.
func (c *instance) reportOf(t testing.TB, flags ...string) (rows []map[string]any) {
	t.Helper()
	got := c.command(t, append([]string{"oauth2", "report", "--json", "--address", c.admin}, flags...)...)
	var answer struct {
		Rows []map[string]any `json:"rows"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &answer); err != nil || got.code != 0 || answer.Rows == nil {
		t.Fatalf("status %d, %v\n%s", got.code, err, got.all())
	}
	return answer.Rows
}

// The command finds the running Caddy as `caddy reload` does; its result is on
// the standard output, and an error on the standard error with status 1.
func TestReportCommand(t *testing.T) {
	t.Parallel()
	c := launch(t, reportCaddyfile, "BATCH_SECRET="+batchSecret)
	for _, flags := range [][]string{
		{"--address", c.admin},
		{"--config", c.caddyfile()},
		{"--config", c.caddyfile(), "--adapter", "caddyfile", "--reset"},
	} {
		got := c.command(t, append([]string{"oauth2", "report"}, flags...)...)
		if got.code != 0 || !strings.HasPrefix(got.stdout, "Since 2") || !strings.Contains(got.stdout, " requests refused") {
			t.Errorf("%v: status %d\n%s", flags, got.code, got.all())
		}
	}
	c.reportOf(t)
	for _, arguments := range [][]string{
		{"oauth2", "report", "--address", "127.0.0.1:1"},
		{"oauth2", "report", "--nonsense"},
		{"oauth2", "nonsense"},
	} {
		got := c.command(t, arguments...)
		if got.code != 1 || got.stdout != "" || got.stderr == "" {
			t.Errorf("%v: status %d\n%s\n%s", arguments, got.code, got.stdout, got.stderr)
		}
	}
	c.env = append(c.env, "CADDY_ADMIN="+c.admin)
	if got := c.command(t, "oauth2", "report"); got.code != 0 {
		t.Errorf("CADDY_ADMIN: status %d\n%s", got.code, got.all())
	}
}

// reportLoad is a mix of requests, each of which a row counts or none.
var reportLoad = []struct {
	who, method, path string
	status            int
	row               string // as of rowName
}{
	{"reader", "GET", "/orders", 200, ""},
	{"reader", "POST", "/orders", 403, "reader POST /orders no_rule"},
	{"reader", "GET", "/stock/17", 403, "reader GET /stock/{} no_rule"},
	{"reader", "GET", "/stock/4711", 403, "reader GET /stock/{} no_rule"},
	{"writer", "GET", "/orders", 403, "writer GET /orders insufficient_scope"},
	{"writer", "DELETE", "/orders", 403, "writer DELETE /orders no_rule"},
	{"", "GET", "/orders", 401, `127.0.0.1 "load/1" GET /orders no_token`},
	{"", "GET", "/other", 401, `127.0.0.1 "load/1" GET /other no_token`},
	{"broken", "GET", "/orders", 401, `127.0.0.1 "load/1" GET /orders malformed`},
}

func rowName(row map[string]any) string {
	text := func(name string) string { value, _ := row[name].(string); return value }
	who := text("client_id")
	if row["verified"] != true {
		who = text("address") + ` "` + text("user_agent") + `"`
	}
	return who + " " + text("method") + " " + text("rule") + text("path") + " " + text("reason")
}

// Every refusal is counted once, in its row, however many come at the same moment,
// while the report is read and reset and the configuration is loaded again.
func TestReportUnderLoad(t *testing.T) {
	t.Parallel()
	const workers, rounds = 8, 60
	c := launch(t, strings.Replace(reportCaddyfile, "\t\tclient reader {", "\t\tclient writer {\n\t\t\tsecret {env.BATCH_SECRET}\n\t\t\tscopes orders:write\n\t\t}\n\t\tclient reader {", 1), "BATCH_SECRET="+batchSecret)
	fields := map[string]string{"": "X-None: 1", "broken": bearer("a.b.c")}
	for _, client := range []string{"reader", "writer"} {
		fields[client] = bearer(c.token(t, client, batchSecret))
	}
	var load, watch sync.WaitGroup
	done, counted := make(chan struct{}), map[string]uint64{}
	watch.Go(func() {
		for round := 0; ; round++ {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
			c.addReport(t, http.MethodDelete, counted)
			if round%8 == 3 {
				c.mustLoad(t, readFile(t, c.caddyfile())+fmt.Sprintf("# %d\n", round))
			}
		}
	})
	for range workers {
		load.Go(func() {
			for range rounds {
				for _, one := range reportLoad {
					got, err := c.try(one.method, one.path, "", fields[one.who], "User-Agent: load/1")
					if err != nil || got.status != one.status {
						t.Errorf("%s %s %s: %s %v", one.who, one.method, one.path, got, err)
					}
				}
			}
		})
	}
	load.Wait()
	close(done)
	watch.Wait()
	c.addReport(t, http.MethodDelete, counted)
	expected := map[string]uint64{}
	for _, one := range reportLoad {
		if one.row != "" {
			expected[one.row] += workers * rounds
		}
	}
	if !maps.Equal(counted, expected) {
		t.Errorf("counted %v\nexpected %v", counted, expected)
	}
}

// addReport adds what the report says, by row.
func (c *instance) addReport(t testing.TB, method string, counted map[string]uint64) (rows int) {
	t.Helper()
	request, err := http.NewRequest(method, "http://"+c.admin+"/oauth2/report", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := finish(plainClient.Do(request))
	var answer struct {
		Rows []map[string]any `json:"rows"`
	}
	if err == nil {
		err = json.Unmarshal([]byte(got.body), &answer)
	}
	if err != nil || got.status != 200 {
		t.Errorf("%s %v", got, err)
	}
	for _, row := range answer.Rows {
		counted[rowName(row)] += uint64(row["refused"].(float64)) + uint64(row["reported"].(float64))
	}
	return len(answer.Rows)
}

// heap is how much memory Caddy uses after it has cleaned up.
func (c *instance) heap(t testing.TB) (octets float64) {
	t.Helper()
	c.adminGet(t, "/debug/pprof/heap?gc=1")
	c.adminGet(t, "/debug/pprof/heap?gc=1")
	for line := range strings.Lines(c.adminGet(t, "/metrics")) {
		if value, found := strings.CutPrefix(line, "go_memstats_heap_alloc_bytes "); found {
			octets, _ = strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	if octets == 0 {
		t.Fatal("no metric of the heap")
	}
	return octets
}

// letters spells a number so that no template takes it for one.
func letters(number int) string {
	var text []byte
	for range 6 {
		text, number = append(text, byte('g'+number%16)), number/16
	}
	return string(text)
}

// A flood of distinct paths, programs and addresses takes bounded memory, loses no
// count, and leaves room for clients with a token.
func TestReportFlood(t *testing.T) {
	t.Parallel()
	const workers, each = 4, 5000
	c := launch(t, strings.Replace(reportCaddyfile, "admin {$ADMIN}", "admin {$ADMIN}\n\tservers {\n\t\ttrusted_proxies static 127.0.0.0/8\n\t}\n\tlog {\n\t\texclude oauth2.audit\n\t}", 1), "BATCH_SECRET="+batchSecret)
	token := bearer(c.token(t, "reader", batchSecret))
	c.send(t, "POST", "/orders", "", token, "X-Forwarded-For: 192.0.2.1").wantStatus(t, 403)
	before := c.heap(t)
	var load sync.WaitGroup
	for worker := range workers {
		load.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport, Timeout: patience}
			for i := range each {
				number := worker*each + i
				request, err := http.NewRequest(http.MethodGet, c.url("/"+letters(number)+"/"+strings.Repeat("x", 40)), nil)
				if err != nil {
					t.Error(err)
					return
				}
				request.Header.Set("User-Agent", letters(number)+strings.Repeat("y", 100))
				if worker > 0 { // the first one has one address alone
					request.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", worker, i/200, i%200))
				}
				if got, err := finish(client.Do(request)); err != nil || got.status != 401 {
					t.Errorf("%s: %s %v", request.URL, got, err)
					return
				}
			}
		})
	}
	load.Wait()
	grown := c.heap(t) - before
	t.Logf("%.1f MiB for %d distinct requests", grown/(1<<20), workers*each)
	if grown > 16<<20 {
		t.Errorf("the heap has grown by %.0f octets", grown)
	}
	c.send(t, "DELETE", "/orders", "", token, "X-Forwarded-For: 192.0.2.1").wantStatus(t, 403)
	counted := map[string]uint64{}
	if rows := c.addReport(t, http.MethodGet, counted); rows < 4_500 || rows > 10_010 { // half are for clients
		t.Errorf("%d rows", rows)
	}
	var sum uint64
	for _, count := range counted {
		sum += count
	}
	if sum != workers*each+2 || counted["reader POST /orders no_rule"] != 1 || counted["reader DELETE /orders no_rule"] != 1 {
		t.Errorf("%d requests counted; of the client: %v", sum, counted["reader POST /orders no_rule"])
	}
	if got := c.command(t, "oauth2", "report", "--address", c.admin, "--reset"); got.code != 0 || !strings.Contains(got.stdout, "(other)") {
		t.Errorf("status %d\n%.1000s", got.code, got.all())
	}
	if left := c.heap(t) - before; left > 8<<20 {
		t.Errorf("%.0f octets are left after a reset", left)
	}
}
