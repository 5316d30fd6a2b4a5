package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Three APIs behind the same rules, which read paths in different ways: Go's file
// server, nginx, and the one that records what it hears.
const confusionCaddyfile = `{
	admin {$ADMIN}
	servers {
		protocols h1 h2c
	}
	oauth2 {
		issuer http://localhost
		resource http://localhost {
			scopes things:read admin
		}
		client reader {
			secret {env.BATCH_SECRET}
			scopes things:read
		}
		client admin {
			secret {env.BATCH_SECRET}
			scopes things:read admin
		}
	}
}

(gated) {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate {
		public * /public/
		require * /admin/ admin
		require GET /things/ things:read
		require DELETE /things/ admin
	}
	reverse_proxy {args[0]}
}

http://:{$PORT} {
	import gated {$UPSTREAM}
}

http://:{$FILES_PORT} {
	import gated {$FILES}
}

http://:{$NGINX_PORT} {
	import gated {$NGINX}
}
`

// adminContent is what nobody may see who lacks the scope; its length is that of
// no other answer.
var adminContent = strings.Repeat("the administrators' secret ", 37)

// hostileTargets are ways to spell a path below /admin/ as one that is public, or
// as one that no rule knows.
var hostileTargets = []string{
	"/admin/secret.txt", "/admin", "/admin/", "/admin/?x", "/admin/secret.txt?/public/",
	"/public/../admin/secret.txt", "/public/x/../../admin/secret.txt", "/./admin/secret.txt", "/x/../admin/secret.txt",
	"/../admin/secret.txt", "/public/./../admin/secret.txt", "/admin/./secret.txt", "/admin/x/../secret.txt",
	"/public/%2e%2e/admin/secret.txt", "/public/.%2e/admin/secret.txt", "/public/%2E./admin/secret.txt", "/%2e/admin/secret.txt",
	"/public%2f..%2fadmin/secret.txt", "/public/..%2Fadmin/secret.txt", "/public/..%2fadmin%2fsecret.txt", "/%2fadmin/secret.txt",
	"/admin%2Fsecret.txt", "/public%2F%2E%2E%2Fadmin%2Fsecret.txt",
	`/public/..\admin\secret.txt`, `/public\..\admin\secret.txt`, `\admin\secret.txt`, "/public/..%5cadmin%5Csecret.txt", "/admin%5csecret.txt",
	"/public/%252e%252e/admin/secret.txt", "/public/..%252fadmin/secret.txt", "/%2561dmin/secret.txt", "/public/%25252e%25252e/admin/secret.txt",
	"/public/..;/admin/secret.txt", "/public;/../admin/secret.txt", "/admin;x=1/secret.txt", "/;/admin/secret.txt", "/public/..;x/admin/secret.txt",
	"/public/..%3b/admin/secret.txt", "/admin/;/secret.txt", "/admin/secret.txt;", "/public/;/../../admin/secret.txt",
	"/admin./secret.txt", "/admin%20/secret.txt", "/admin.%20/secret.txt", "/admin/secret.txt.", "/admin/secret.txt%20", "/public/.../admin/secret.txt",
	"/public/..%20/admin/secret.txt", "/public/%20../admin/secret.txt", "/public/..././admin/secret.txt", "/ADMIN./secret.txt",
	"//admin/secret.txt", "///admin///secret.txt", "/admin//secret.txt", "/public//../admin/secret.txt", "//public/../../admin/secret.txt",
	"//localhost/admin/secret.txt", "/public/../../../../admin/secret.txt", "//", "/public/..//admin/secret.txt",
	"/admin%00/secret.txt", "/admin/secret.txt%00", "/admin/secret.txt%00.html", "/public/..%00/admin/secret.txt", "/public/%00/../../admin/secret.txt",
	"/admin\x00/secret.txt", "/admin/\x01secret.txt", "/public/..%0d/admin/secret.txt", "/public/..%0a/admin/secret.txt", "/public/..%09/admin/secret.txt",
	"/public/..\t/admin/secret.txt", "/public%0d%0aX:/../admin/secret.txt", "/admin/secret.txt%7f", "/public/..%c2%85/admin/secret.txt",
	"/public/%c0%ae%c0%ae/admin/secret.txt", "/public/..%c0%afadmin/secret.txt", "/public/..%ff/admin/secret.txt", "/public/\xff/../../admin/secret.txt",
	"/public/%e0%80%ae%e0%80%ae/admin/secret.txt", "/public/..%ef%bc%8fadmin/secret.txt", "/public/%ef%bc%8e%ef%bc%8e/admin/secret.txt",
	"/public/%u002e%u002e/admin/secret.txt", "/public/%%32%65%%32%65/admin/secret.txt", "/public/..%/admin/secret.txt", "/public/%2/../../admin/secret.txt",
	"http://localhost/admin/secret.txt", "http://localhost/public/../admin/secret.txt", "http://localhost//admin/secret.txt", "http://localhost/public/..%2fadmin/secret.txt",
	"http://admin/secret.txt", "http:/admin/secret.txt", "http:admin/secret.txt", "HTTP://LOCALHOST/admin/secret.txt", "file:///admin/secret.txt", "http://x@localhost/admin/secret.txt",
	"http://localhost\\@x/admin/secret.txt", "http://localhost/public/?/../../admin/secret.txt", "http://localhost?/admin/secret.txt", "http://localhost#/admin/secret.txt",
	"/Admin/secret.txt", "/ADMIN/secret.txt", "/aDMIN/SECRET.TXT", "/%41dmin/secret.txt", "/%61dmin/secret.txt", "/%61%64%6D%69%6E/secret.txt",
	"/public/..?/admin/secret.txt", "/public/..#/admin/secret.txt", "/public/#/../../admin/secret.txt", "/public/..%23/admin/secret.txt", "/public/..%3f/admin/secret.txt",
	"/public/x#/../admin/secret.txt", "/public/../admin/secret.txt#", "/public?/../admin/secret.txt", "?/admin/secret.txt", "*", "", "admin/secret.txt", "admin",
	"/public..", "/public../admin/secret.txt", "/public%2e%2e/admin/secret.txt", "/public/~/../../admin/secret.txt", "/public/\"../admin/secret.txt", "/public/<../admin/secret.txt",
}

// hostileMethods are methods with which a file server might answer.
var hostileMethods = []string{"GET", "HEAD", "OPTIONS", "TRACE", "POST", "get", "Get", "GETX", "CONNECT", "PROPFIND"}

// hostileFields are fields by which some servers take another path or method.
var hostileFields = []string{
	"X-Original-Url: /admin/secret.txt", "X-Rewrite-Url: /admin/secret.txt", "x_original_url: /admin/secret.txt", "X.Rewrite.URL: /admin/secret.txt",
	"X-Forwarded-Uri: /admin/secret.txt", "X-Forwarded-Path: /admin/secret.txt", "X-Forwarded-Prefix: /admin", "X-Original-Uri: /admin/secret.txt",
	"X-Forwarded-Method: DELETE", "X-Http-Method-Override: DELETE", "x_http_method_override: DELETE", "X-HTTP-Method: DELETE", "X-METHOD-OVERRIDE: DELETE",
	"X.Method.Override: delete", "X-Forwarded-Host: admin", "Forwarded: host=admin", "X-Accel-Redirect: /admin/secret.txt", "X-Sendfile: /admin/secret.txt",
	"Destination: /admin/secret.txt", "Referer: /admin/", "Range: bytes=0-", "Expect: 100-continue",
}

// confused is the instance with the three APIs.
type confused struct {
	*instance
	folder string // what the servers of files serve
	ports  map[string]int
	direct map[string]string // their addresses, past the gate
	opened *opened
	header *heardHeaders
}

func launchConfused(t *testing.T) *confused {
	t.Helper()
	c := &confused{folder: t.TempDir(), opened: new(opened), header: new(heardHeaders), ports: map[string]int{}, direct: map[string]string{}}
	for _, name := range []string{"admin", "public", "things"} {
		if err := os.Mkdir(filepath.Join(c.folder, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, filepath.Join(c.folder, "admin", "secret.txt"), adminContent)
	writeFile(t, filepath.Join(c.folder, "public", "hello.txt"), "hello")
	files := httptest.NewServer(c.header.note(http.FileServer(c.opened.of(http.Dir(c.folder)))))
	t.Cleanup(files.Close)
	c.direct["files"] = strings.TrimPrefix(files.URL, "http://")
	c.direct["nginx"] = startNginx(t, c.folder)
	c.ports["files"], c.ports["nginx"] = freePort(t), freePort(t)
	c.instance = launch(t, confusionCaddyfile, "BATCH_SECRET="+batchSecret,
		"FILES="+c.direct["files"], "NGINX="+c.direct["nginx"],
		fmt.Sprintf("FILES_PORT=%d", c.ports["files"]), fmt.Sprintf("NGINX_PORT=%d", c.ports["nginx"]))
	c.ports["recorder"] = c.port
	return c
}

// opened is what Go's file server opened.
type opened struct {
	mutex sync.Mutex
	names []string
}

type noting struct {
	http.FileSystem
	opened *opened
}

func (o *opened) of(files http.FileSystem) http.FileSystem { return noting{files, o} }

func (n noting) Open(name string) (http.File, error) {
	n.opened.mutex.Lock()
	n.opened.names = append(n.opened.names, name)
	n.opened.mutex.Unlock()
	return n.FileSystem.Open(name)
}

// admin tells whether anything below /admin was opened since the last time.
func (o *opened) admin() bool {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	names := o.names
	o.names = nil
	return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(strings.ToLower(name), "/admin") })
}

// heardHeaders are the fields and trailers of the last request that Go's server
// heard.
type heardHeaders struct {
	mutex  sync.Mutex
	fields http.Header
}

func (h *heardHeaders) note(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // trailers come after it
		all := r.Header.Clone()
		for name, values := range r.Trailer {
			all[name] = append(all[name], values...)
		}
		h.mutex.Lock()
		h.fields = all
		h.mutex.Unlock()
		next.ServeHTTP(w, r)
	})
}

// values are those of all fields that a careless API takes for name.
func (h *heardHeaders) values(name string) (values []string) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for field, all := range h.fields {
		if fold(field) == fold(name) {
			values = append(values, all...)
		}
	}
	return values
}

// exchange sends bytes to an address and returns all that is answered, empty where
// the connection ends without a word.
func exchange(t testing.TB, address, text string) string {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(bufio.NewReader(connection))
	if err != nil && len(answer) == 0 {
		t.Logf("no answer to %.100q: %v", text, err)
	}
	return string(answer)
}

func ask(method, target string, fields ...string) string {
	return lines(append(append([]string{method + " " + target + " HTTP/1.1", "Host: localhost", "Connection: close"}, fields...), "", "")...)
}

// showsAdmin tells whether an answer is the secret, or is about it as one to HEAD.
func showsAdmin(answer string) bool {
	return strings.Contains(answer, adminContent[:40]) ||
		strings.Contains(answer, fmt.Sprintf("Content-Length: %d\r\n", len(adminContent))) ||
		strings.Contains(answer, "\r\n<pre>\n<a href=\"secret.txt\">") // a listing
}

// readsAsAdmin tells whether a careless API takes a request for one below /admin:
// it decodes once and then does all that servers are known to do to paths.
func (h heard) readsAsAdmin() bool {
	parts := strings.SplitN(h.line, " ", 3)
	if len(parts) != 3 {
		return true
	}
	targets := []string{parts[1]}
	for _, name := range []string{"X-Original-Url", "X-Rewrite-Url"} {
		for _, field := range h.copies(name) {
			_, value, _ := strings.Cut(field, ": ")
			targets = append(targets, value)
		}
	}
	return slices.ContainsFunc(targets, carelessAdmin)
}

func carelessAdmin(target string) bool {
	path, _, _ := strings.Cut(target, "?")
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	path, _, _ = strings.Cut(path, "\x00")
	path, _, _ = strings.Cut(path, "#")
	var kept []string
	for segment := range strings.SplitSeq(strings.ReplaceAll(path, `\`, "/"), "/") {
		segment, _, _ = strings.Cut(segment, ";")
		if segment != ".." {
			segment = strings.TrimRight(segment, ". \t\r\n")
		}
		switch {
		case segment == "":
		case segment == "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, strings.ToLower(segment))
		}
	}
	return len(kept) > 0 && kept[0] == "admin"
}

// Whatever the spelling, nobody without the scope gets to what is below /admin,
// however the API reads paths; with the scope, and at public paths, it goes on.
func TestPathConfusion(t *testing.T) {
	t.Parallel()
	c := launchConfused(t)
	reader, admin := bearer(c.token(t, "reader", batchSecret)), bearer(c.token(t, "admin", batchSecret))
	for name, port := range c.ports {
		address := fmt.Sprintf("127.0.0.1:%d", port)
		for _, target := range hostileTargets {
			for _, caller := range []string{reader, "X-None: 1"} {
				c.closed(t, name, address, "GET", target, caller)
			}
		}
		for _, method := range hostileMethods {
			for _, target := range []string{"/admin/secret.txt", "/public/../admin/secret.txt", "/public/..%2fadmin/secret.txt", "//admin/secret.txt", "http://localhost/admin/secret.txt"} {
				c.closed(t, name, address, method, target, reader)
			}
		}
		for _, field := range hostileFields {
			for _, target := range []string{"/admin/secret.txt", "/public/hello.txt", "/things/1"} {
				for _, method := range []string{"GET", "POST"} {
					c.closed(t, name, address, method, target, reader, field)
				}
			}
		}
		if got := exchange(t, address, ask("GET", "/public/hello.txt")); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
			t.Errorf("%s: a public path: %s", name, got)
		}
		c.upstream.drain()
		got := exchange(t, address, ask("GET", "/admin/secret.txt", admin))
		if !strings.HasPrefix(got, "HTTP/1.1 200 ") || name != "recorder" && !showsAdmin(got) {
			t.Errorf("%s: with the scope: %s", name, got)
		}
		if name == "recorder" && !c.upstream.only(t).readsAsAdmin() {
			t.Error("the careless reader would see nothing")
		}
		c.opened.admin()
	}
}

// closed fails where a request got to the administrators' content.
func (c *confused) closed(t *testing.T, name, address, method, target string, fields ...string) {
	t.Helper()
	c.upstream.drain()
	got := exchange(t, address, ask(method, target, fields...))
	if showsAdmin(got) {
		t.Errorf("%s: %s %q with %q gets to it: %.200q", name, method, target, fields[1:], got)
	}
	if c.opened.admin() {
		t.Errorf("%s: %s %q with %q: the file server opened it", name, method, target, fields[1:])
	}
	for _, request := range c.upstream.drain() {
		if request.readsAsAdmin() {
			t.Errorf("%s %q with %q: the API heard %q", method, target, fields[1:], request)
		}
		if strings.HasPrefix(strings.ToUpper(request.line), "DELETE ") || len(request.copies("X-Http-Method-Override"))+len(request.copies("X-Http-Method"))+len(request.copies("X-Method-Override")) > 0 {
			t.Errorf("%s %q with %q: the API may take it for another method: %q", method, target, fields[1:], request)
		}
	}
	if strings.HasPrefix(got, "HTTP/1.1 5") {
		t.Errorf("%s: %s %q: %.200q", name, method, target, got)
	}
}

// Without the gate many of these targets do get there: the tests above have teeth.
func TestPathConfusionIsReal(t *testing.T) {
	t.Parallel()
	c := launchConfused(t)
	for name, address := range c.direct {
		var reached []string
		for _, target := range hostileTargets {
			if got := exchange(t, address, ask("GET", target)); showsAdmin(got) {
				reached = append(reached, target)
			}
		}
		if len(reached) < 10 {
			t.Errorf("%s serves the secret for %q alone", name, reached)
		}
		t.Logf("%s: %d of %d targets", name, len(reached), len(hostileTargets))
	}
}

// Methods decide as the API hears them.
func TestMethodConfusion(t *testing.T) {
	t.Parallel()
	c := launchConfused(t)
	reader, admin := bearer(c.token(t, "reader", batchSecret)), bearer(c.token(t, "admin", batchSecret))
	address := fmt.Sprintf("127.0.0.1:%d", c.port)
	for method, status := range map[string]string{
		"GET": "200", "HEAD": "200", "DELETE": "403", "delete": "403", "Delete": "403", "OPTIONS": "403", "TRACE": "403", "POST": "403",
		"get": "403", "head": "403", "GETS": "403", "G": "403", "CONNECT": "4", "G\x00T": "400", "": "400",
	} {
		got := exchange(t, address, ask(method, "/things/1", reader))
		if !strings.HasPrefix(got, "HTTP/1.1 "+status) {
			t.Errorf("%q: %.100q", method, got)
		}
		if status == "200" {
			if line := c.upstream.only(t).line; line != method+" /things/1 HTTP/1.1" {
				t.Errorf("%q: the API heard %q", method, line)
			}
		} else {
			c.upstream.silent(t)
		}
	}
	exchange(t, address, ask("DELETE", "/things/1", admin))
	if line := c.upstream.only(t).line; line != "DELETE /things/1 HTTP/1.1" {
		t.Errorf("the API heard %q", line)
	}
}

// Whatever a client sends, each API hears the gate's word of who calls.
func TestHeaderConfusion(t *testing.T) {
	t.Parallel()
	c := launchConfused(t)
	reader := bearer(c.token(t, "reader", batchSecret))
	want := map[string]string{"X-Client-Id": "reader", "X-Client-Scope": "things:read", "X-Client-Issuer": "http://localhost"}
	for _, spoof := range spoofs {
		for _, caller := range []string{reader, "X-None: 1"} {
			fields := append([]string{caller, "Connection: close"}, spoof.head...)
			method, tail := "GET", []string{"", ""}
			if spoof.tail != nil {
				method, fields = "POST", append(fields, "Transfer-Encoding: chunked")
				tail = append(append([]string{"", "4", "body", "0"}, spoof.tail...), "", "")
			}
			request := lines(append(append([]string{method + " /public/hello.txt HTTP/1.1", "Host: localhost"}, fields...), tail...)...)
			exchange(t, fmt.Sprintf("127.0.0.1:%d", c.ports["files"]), request)
			line := ""
			for _, name := range []string{"X-Client-Id", "X-Client-Scope", "X-Client-Issuer"} {
				var expected []string
				if caller == reader {
					expected = []string{want[name]}
				}
				if got := c.header.values(name); !slices.Equal(got, expected) {
					t.Errorf("%s: Go's server heard %s %q, expected %q", spoof.name, name, got, expected)
				}
				line += "[" + strings.Join(expected, "") + "]"
			}
			request = strings.Replace(request, "hello.txt", "whoami", 1)
			if got := exchange(t, fmt.Sprintf("127.0.0.1:%d", c.ports["nginx"]), request); !strings.HasSuffix(got, line) {
				t.Errorf("%s: nginx heard %q, expected %q", spoof.name, got, line)
			}
		}
	}
	// Past the gate it would believe them.
	if got := exchange(t, c.direct["nginx"], ask("GET", "/public/whoami", "x_client_id: evil")); !strings.HasSuffix(got, "[evil][][]") {
		t.Errorf("nginx heard %q", got)
	}
}

// overHTTP2 sends fields with names as they are, and returns the answer's head and
// body.
func overHTTP2(t *testing.T, client *http.Client, port int, method, target string, fields map[string]string) string {
	t.Helper()
	request, err := http.NewRequest(method, fmt.Sprintf("http://127.0.0.1:%d%s", port, target), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range fields {
		request.Header[name] = []string{value}
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.ProtoMajor != 2 {
		t.Errorf("%s %q: %s %v", method, target, response.Proto, err)
	}
	return fmt.Sprintf("HTTP/2 %d\r\nContent-Length: %d\r\n\r\n%s", response.StatusCode, response.ContentLength, body)
}

// HTTP/2 carries names of its own; the same holds there.
func TestHeaderConfusionOverHTTP2(t *testing.T) {
	t.Parallel()
	c := launchConfused(t)
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport, Timeout: patience, CheckRedirect: plainClient.CheckRedirect}
	token, _ := strings.CutPrefix(bearer(c.token(t, "reader", batchSecret)), "Authorization: ")
	for _, field := range []string{"x-client-id", "X-Client-Id", "x_client_id", "x.client.id", "x~client~id", "x-client_id", "X_CLIENT-ID"} {
		for caller, expected := range map[string]string{token: "reader", "": ""} {
			fields := map[string]string{field: "evil", "x_client_scope": "all"}
			if caller != "" {
				fields["authorization"] = caller
			}
			overHTTP2(t, client, c.ports["files"], "GET", "/public/hello.txt", fields)
			if got := strings.Join(c.header.values("X-Client-Id"), ","); got != expected {
				t.Errorf("%s: Go's server heard %q", field, got)
			}
			if got := overHTTP2(t, client, c.ports["nginx"], "GET", "/public/whoami", fields); !strings.Contains(got, "\r\n\r\n["+expected+"][") || strings.Contains(got, "all") {
				t.Errorf("%s: nginx heard %q", field, got)
			}
		}
	}
	for _, field := range []string{"x_original_url", "x.rewrite.url", "X-Original-URL"} {
		overHTTP2(t, client, c.port, "GET", "/public/x", map[string]string{field: "/admin/secret.txt", "x_http_method_override": "DELETE"})
		got := c.upstream.only(t)
		got.none(t, "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override")
	}
}
