package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// ambiguousTargets are targets that servers read in different ways. A rule
// must not be asked about one path while the API serves another.
var ambiguousTargets = []string{
	"/orders%2F1", "/orders%2f1", "/orders/..%2Fadmin", "/open%2F..%2Fadmin",
	"/orders%5C1", "/orders%5c1", `/orders\1`, `/open\..\admin`,
	"/orders;x=1", "/open;/../admin", "/orders/1;", "/orders%3B", "/orders/;/x",
	"/orders/../admin", "/open/../admin", "/open/..", "/orders/.", "/./orders", "/../orders", "/orders/./1",
	"/open/%2e%2e/admin", "/open/%2E%2E/admin", "/open/.%2e/admin", "/orders/%2e/1", "/open/%2e%2e",
	"/orders.", "/orders/1.", "/orders/1...", "/orders%2e", "/orders./1", "/orders/...",
	"/orders%20", "/orders/1%20", "/orders%20/1", "/orders/%20", "/orders/1.%20",
	"//orders", "/orders//1", "/orders///", "/open//../admin", "//",
	"/orders%00", "/orders/1%00.txt", "/orders%0a", "/orders%0d%0aX-Evil:1", "/orders%09", "/orders%1f", "/orders%7f",
	"/orders/%c2%85", "/orders/%C2%80", "/orders/%c2%9f",
	"/orders%", "/orders%2", "/orders%zz", "/orders/%u002e%u002e/admin", "/orders%%32%66",
	"/orders/%ff", "/orders/%c0%af", "/orders/%c0%ae%c0%ae/admin", "/orders/%e0%80%af", "/orders/%ed%a0%80", "/orders/%f5%80%80%80",
	"/orders/\xff", "/orders/\xc0\xaf", "/orders/\xc2\x85",
	"orders", "", "?", "*",
	"/orders/1\x00", "/orders/\x01", "/orders/\x7f", "/orders\tx",
	"http://localhost/open/../admin", "http://localhost//orders", "http://localhost/orders%2f1", "http://localhost", "http:orders", "localhost:80",
}

// With a token that may do everything, without one, and with a public rule
// near by: 400, and the API hears nothing.
func TestAmbiguousTargets(t *testing.T) {
	t.Parallel()
	c := launchGate(t)
	token := bearer(c.token(t, "writer", batchSecret))
	for _, target := range ambiguousTargets {
		for _, field := range []string{token, "X-None: 1"} {
			name, _, _ := strings.Cut(field, ":")
			t.Run(fmt.Sprintf("%.40q %s", target, name), func(t *testing.T) {
				got := c.raw(t, lines("GET "+target+" HTTP/1.1", "Host: localhost", "Connection: close", field, "", ""))
				if got.status != 400 && got.status != 401 && got.status != 403 {
					t.Errorf("%s", got)
				}
				c.upstream.silent(t)
			})
		}
	}
}

// Those that only the gate can judge get its own answer.
func TestAmbiguousPathAnswer(t *testing.T) {
	t.Parallel()
	c := launchGate(t)
	for _, path := range []string{"/orders%2F1", "/orders;x", "/open/%2e%2e/admin", "//orders", "/orders/%ff"} {
		got := c.raw(t, lines("GET "+path+" HTTP/1.1", "Host: localhost", "Connection: close", "", ""))
		c.wantRefusal(t, got, 400, "invalid_request", "")
	}
}

// Requests that are broken elsewhere end with a refusal, never with a 5xx.
func TestBrokenRequests(t *testing.T) {
	t.Parallel()
	c := launchGate(t)
	token := bearer(c.token(t, "reader", batchSecret))
	rows := []struct {
		name  string
		lines []string
	}{
		{"NUL in a value", []string{"GET /orders HTTP/1.1", "Host: localhost", token, "X-A: a\x00b"}},
		{"control character in a value", []string{"GET /orders HTTP/1.1", "Host: localhost", token, "X-Client-Id: a\x01b"}},
		{"bare line break in the token", []string{"GET /orders HTTP/1.1", "Host: localhost", "Authorization: Bearer a\rb"}},
		{"space in a name", []string{"GET /orders HTTP/1.1", "Host: localhost", token, "X-Client-Id : a"}},
		{"name outside ASCII", []string{"GET /orders HTTP/1.1", "Host: localhost", token, "X-Clïent-Id: a"}},
		{"folded line", []string{"GET /orders HTTP/1.1", "Host: localhost", "Authorization: Bearer a", " b"}},
		{"two hosts", []string{"GET /orders HTTP/1.1", "Host: localhost", "Host: x", token}},
		{"no host", []string{"GET /orders HTTP/1.1", token}},
		{"two lengths", []string{"POST /orders HTTP/1.1", "Host: localhost", "Content-Length: 1", "Content-Length: 2", token}},
		{"broken method", []string{"GE\x00T /orders HTTP/1.1", "Host: localhost", token}},
		{"unknown method", []string{"ANYTHING /orders HTTP/1.1", "Host: localhost", token}},
		{"CONNECT", []string{"CONNECT localhost:80 HTTP/1.1", "Host: localhost:80", token}},
		{"TRACE", []string{"TRACE /orders HTTP/1.1", "Host: localhost", token}},
		{"unknown expectation", []string{"DELETE /orders HTTP/1.1", "Host: localhost", "Expect: miracles", token}},
		{"very long path", []string{"GET /nowhere/" + strings.Repeat("x", 8<<10) + " HTTP/1.1", "Host: localhost", token}},
		{"very long field", []string{"GET /orders HTTP/1.1", "Host: localhost", "X-A: " + strings.Repeat("x", 2<<20)}},
		{"very many fields", []string{"GET /orders HTTP/1.1", "Host: localhost", strings.TrimSuffix(strings.Repeat("X-Client-Id: a\r\n", 70000), "\r\n")}},
		{"absolute target of a closed path", []string{"GET http://localhost/admin HTTP/1.1", "Host: localhost", token}},
		{"absolute target, host that is public elsewhere", []string{"POST http://localhost/health HTTP/1.1", "Host: x/health", token}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got := c.raw(t, lines(append(row.lines, "Connection: close", "", "")...))
			if got.status < 400 || got.status >= 500 {
				t.Errorf("%.300s", got.String())
			}
			c.upstream.silent(t)
		})
	}
}

// OPTIONS for the server as a whole is answered by Go's net/http before any
// handler: it says nothing, and goes nowhere.
func TestServerWideOptions(t *testing.T) {
	t.Parallel()
	c := launchGate(t)
	got := c.raw(t, lines("OPTIONS * HTTP/1.1", "Host: localhost", "Connection: close", "", ""))
	if got.status >= 500 || got.body != "" {
		t.Errorf("%s", got)
	}
	c.upstream.silent(t)
}

// What is not ambiguous goes on byte for byte: path, query and method.
func TestTargetUnchanged(t *testing.T) {
	t.Parallel()
	c := launchGate(t)
	token := bearer(c.token(t, "writer", batchSecret))
	rows := []struct{ method, target, want string }{
		{"GET", "/orders", ""},
		{"GET", "/orders/", ""},
		{"HEAD", "/orders/17", ""},
		{"POST", "/orders/17", ""},
		{"PATCH", "/any", ""},
		{"GET", "/orders/a%20b", ""},
		{"GET", "/orders/%C3%BC", ""},
		{"GET", "/orders/%c3%bc", ""},
		{"GET", "/orders/%61", ""},
		{"GET", "/%6Frders/17", ""},
		{"GET", "/orders/~a-b_c.d!e$f&g'h(i)*j+k,l=m:n@o", ""},
		{"GET", "/orders/%7Ea%21", ""},
		{"GET", "/orders/.hidden", ""},
		{"GET", "/orders/a..b", ""},
		{"GET", "/orders/a%25b", ""},
		{"GET", "/orders/a%3Fb", ""},
		{"GET", "/orders?", ""},
		{"GET", "/orders?a=1&a=2&&b", ""},
		{"GET", "/orders?path=../../x%2F..%2f&q=a+b%20c", ""},
		{"GET", "/orders?access_token=x&client_id=y", ""},
		{"GET", "http://localhost/orders/17?x=1", "/orders/17?x=1"},
	}
	for _, row := range rows {
		t.Run(row.method+" "+row.target, func(t *testing.T) {
			if row.want == "" {
				row.want = row.target
			}
			got := c.raw(t, lines(row.method+" "+row.target+" HTTP/1.1", "Host: localhost", "Connection: close", token, "", ""))
			got.wantStatus(t, 200)
			if line := c.upstream.only(t).line; line != row.method+" "+row.want+" HTTP/1.1" {
				t.Errorf("the API heard %q", line)
			}
		})
	}
}
