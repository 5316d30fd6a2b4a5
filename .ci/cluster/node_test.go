package cluster

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/.ci/harness"
)

// node is one instance of a cluster.
type node struct {
	*harness.Process
	folder, caddyfile string
	env               []string
	at, admin         string // host:port, for clients and for operators
}

// prepare makes an instance that does not run yet. Its storage lies below folder.
func prepare(t testing.TB, folder, text string, env ...string) *node {
	t.Helper()
	n := &node{folder: folder, caddyfile: filepath.Join(t.TempDir(), "Caddyfile")}
	port := harness.FreePort(t)
	n.at, n.admin = fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("127.0.0.1:%d", harness.FreePort(t))
	n.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "TMPDIR=" + folder,
		"XDG_DATA_HOME=" + filepath.Join(folder, "data"), "XDG_CONFIG_HOME=" + filepath.Join(folder, "config"),
		fmt.Sprintf("PORT=%d", port), "ADMIN=" + n.admin,
	}, env...)
	write(t, n.caddyfile, text)
	return n
}

// begin runs Caddy and waits for nothing.
func (n *node) begin(t testing.TB) {
	t.Helper()
	command := exec.Command(caddyBinary, "run", "--config", n.caddyfile, "--adapter", "caddyfile")
	command.Env, command.Dir = n.env, n.folder
	n.Process = harness.Start(t, command, func(printed string) { checkOutput(t, printed) })
}

// serves waits until it does.
func (n *node) serves(t testing.TB) {
	t.Helper()
	if err := n.Await("serving initial configuration", patience); err != nil {
		t.Fatalf("Caddy did not start: %v\n%s", err, n.Output)
	}
}

// checkOutput looks for what nothing that happens to a cluster may cause.
func checkOutput(t testing.TB, printed string) {
	t.Helper()
	for line := range strings.Lines(printed) {
		if strings.Contains(line, "panic") || strings.Contains(line, "DATA RACE") || strings.HasPrefix(line, "goroutine ") {
			t.Errorf("Caddy panicked: %.2000s", line)
		}
		for _, word := range []string{secret, sealingKey, "PRIVATE KEY"} {
			if strings.Contains(line, word) {
				t.Errorf("a log line shows a secret: %.80s", line)
			}
		}
	}
}

// answer is a response whose body has been read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) String() string { return fmt.Sprintf("%d %v %s", a.status, a.header, a.body) }

// plain opens a connection for each request, and gives up on one that hangs.
var plain = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 60 * time.Second}

// send sends a request to an address; fields are "Name: value".
func send(address, method, path, body string, fields ...string) (answer, error) {
	request, err := http.NewRequest(method, "http://"+address+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		request.Header.Add(name, value)
	}
	response, err := plain.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text)}, err
}

func (n *node) address() string { return n.at }

// must sends a request that must get an answer.
func (n *node) must(t testing.TB, method, path, body string, fields ...string) answer {
	t.Helper()
	got, err := send(n.address(), method, path, body, fields...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// get asks the API behind the gate.
func (n *node) get(t testing.TB, token string) answer {
	t.Helper()
	return n.must(t, http.MethodGet, "/orders", "", "Authorization: Bearer "+token)
}

// ask sends a request to the admin endpoint that must succeed, and decodes the answer.
func (n *node) ask(t testing.TB, method, path, body string, into any) {
	t.Helper()
	got, err := send(n.admin, method, path, body, "Content-Type: application/json")
	if err != nil || got.status/100 != 2 {
		t.Fatalf("%s %s: %v %s", method, path, err, got)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(got.body), into); err != nil {
		t.Fatalf("%s %s: %v: %s", method, path, err, got)
	}
}

// want checks the status.
func (a answer) want(t testing.TB, status int) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, expected %d: %s", a.status, status, a)
	}
}

// member is one of the JSON object in the body, as text; empty where there is none.
func (a answer) member(name string) string {
	var members map[string]any
	if json.Unmarshal([]byte(a.body), &members) != nil || members[name] == nil {
		return ""
	}
	return fmt.Sprint(members[name])
}
