package e2e

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// answer is a response whose body has been read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) String() string { return fmt.Sprintf("%d %v %s", a.status, a.header, a.body) }

// members decodes the body, which must be one JSON object.
func (a answer) members(t testing.TB) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(a.body), &members); err != nil {
		t.Fatalf("not a JSON object: %v: %s", err, a)
	}
	return members
}

// plainClient opens a connection for each request: no request depends on what
// a kept connection goes through during a reload.
var plainClient = &http.Client{
	Transport: &http.Transport{DisableKeepAlives: true},
	Timeout:   patience,
	CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	},
}

func (c *instance) url(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", c.port, path) }

// try sends a request; fields are "Name: value". While it reloads, Caddy closes
// connections that it has not yet read from, with or without this plugin: then
// there is another try. A panic ends like that too; see checkOutput.
func (c *instance) try(method, path, body string, fields ...string) (got answer, err error) {
	for range 5 {
		if got, err = c.tryOnce(method, path, body, fields); err == nil {
			return got, nil
		}
	}
	return got, err
}

func (c *instance) tryOnce(method, path, body string, fields []string) (answer, error) {
	request, err := http.NewRequest(method, c.url(path), strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		request.Header.Add(name, value)
	}
	return finish(plainClient.Do(request))
}

func finish(response *http.Response, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(body)}, err
}

// send is try that must get an answer.
func (c *instance) send(t testing.TB, method, path, body string, fields ...string) answer {
	t.Helper()
	got, err := c.try(method, path, body, fields...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (c *instance) get(t testing.TB, path string, fields ...string) answer {
	t.Helper()
	return c.send(t, http.MethodGet, path, "", fields...)
}

// raw sends bytes as they are and reads the answer.
func (c *instance) raw(t testing.TB, text string) answer {
	t.Helper()
	connection := c.dial(t)
	if _, err := io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(text, " ")
	got, err := finish(http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method}))
	if err != nil {
		t.Fatalf("no answer to %.200q: %v", text, err)
	}
	return got
}

func (c *instance) dial(t testing.TB) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", c.port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return connection
}

// lines makes a request of its lines; the last ones may be a body.
func lines(all ...string) string { return strings.Join(all, "\r\n") }

const formType = "Content-Type: application/x-www-form-urlencoded"

// form makes a body of names and values, in turn.
func form(pairs ...string) string {
	var text strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if i > 0 {
			text.WriteByte('&')
		}
		text.WriteString(url.QueryEscape(pairs[i]) + "=" + url.QueryEscape(pairs[i+1]))
	}
	return text.String()
}

// basic makes an Authorization field as RFC 6749 section 2.3.1 says.
func basic(id, secret string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

func bearer(token string) string { return "Authorization: Bearer " + token }

// tokenRequest asks for a token; pairs are further parameters.
func (c *instance) tokenRequest(id, secret string, pairs ...string) (answer, error) {
	body := form(append([]string{"grant_type", "client_credentials"}, pairs...)...)
	return c.try(http.MethodPost, "/oauth2/token", body, formType, basic(id, secret))
}

// token gets a token that must be issued.
func (c *instance) token(t testing.TB, id, secret string, pairs ...string) string {
	t.Helper()
	got, err := c.tokenRequest(id, secret, pairs...)
	if err != nil {
		t.Fatal(err)
	}
	token, _ := got.members(t)["access_token"].(string)
	if got.status != http.StatusOK || token == "" {
		t.Fatalf("no token for %s: %s", id, got)
	}
	return token
}

// load hands a Caddyfile to the admin endpoint, which is faster than a command.
func (c *instance) load(t testing.TB, caddyfile string) answer {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, "http://"+c.admin+"/load", bytes.NewReader([]byte(caddyfile)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "text/caddyfile")
	got, err := finish(plainClient.Do(request))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// mustLoad is load that must succeed.
func (c *instance) mustLoad(t testing.TB, caddyfile string) {
	t.Helper()
	if got := c.load(t, caddyfile); got.status != http.StatusOK {
		t.Fatalf("loading: %s", got)
	}
}

// adminGet reads from the admin endpoint.
func (c *instance) adminGet(t testing.TB, path string) string {
	t.Helper()
	got, err := finish(plainClient.Get("http://" + c.admin + path))
	if err != nil || got.status != http.StatusOK {
		t.Fatalf("%s: %s %v", path, got, err)
	}
	return got.body
}

// wantError checks the status and the error code of a refusal.
func (a answer) wantError(t testing.TB, status int, code string) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, expected %d: %s", a.status, status, a)
	}
	if got := a.members(t)["error"]; got != code {
		t.Errorf("error %q, expected %q: %s", got, code, a)
	}
}
