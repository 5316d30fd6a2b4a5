package issuer_test

import (
	"net/http"
	"strings"
	"testing"
)

// The form of the request (RFC 6749 sections 3.2 and 4.4.2, appendix B).
func TestRequestForm(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	const good = "grant_type=client_credentials&client_id=batch&client_secret=a+secret+of+the+batch+client"
	withType := func(mediaType ...string) *http.Request {
		r := form(good)
		r.Header["Content-Type"] = mediaType
		return r
	}
	query := func(query string) *http.Request {
		r := form(good)
		r.URL.RawQuery = query
		return r
	}
	method := func(method string) *http.Request {
		r := form(good)
		r.Method = method
		return r
	}
	unknownLength := form(good + "&pad=" + strings.Repeat("x", 70_000))
	unknownLength.ContentLength = -1
	for _, c := range []struct {
		name   string
		r      *http.Request
		status int
		code   string
	}{
		{"good", form(good), 200, ""},
		{"charset", withType("application/x-www-form-urlencoded; charset=UTF-8"), 200, ""},
		{"capitals", withType("Application/X-WWW-Form-Urlencoded"), 200, ""},
		{"a broken parameter of the type", withType("application/x-www-form-urlencoded; charset"), 200, ""},
		{"JSON", withType("application/json"), 400, "invalid_request"},
		{"multipart", withType("multipart/form-data; boundary=x"), 400, "invalid_request"},
		{"no type", withType(), 400, "invalid_request"},
		{"two types", withType("application/x-www-form-urlencoded", "application/json"), 400, "invalid_request"},
		{"nonsense type", withType(";;;"), 400, "invalid_request"},
		{"GET", method("GET"), 405, "invalid_request"},
		{"HEAD", method("HEAD"), 405, "invalid_request"},
		{"PUT", method("PUT"), 405, "invalid_request"},
		{"OPTIONS", method("OPTIONS"), 405, "invalid_request"},
		{"no grant_type", form("client_id=batch&client_secret=a+secret+of+the+batch+client"), 400, "invalid_request"},
		{"empty grant_type", form("grant_type=&client_id=batch"), 400, "invalid_request"},
		{"another grant", form("grant_type=password&username=a&password=b"), 400, "unsupported_grant_type"},
		{"grant in capitals", form("grant_type=CLIENT_CREDENTIALS"), 400, "unsupported_grant_type"},
		{"empty body", form(""), 400, "invalid_request"},
		{"bad escape", form(good + "&x=%zz"), 400, "invalid_request"},
		{"semicolon", form(good + ";x=y"), 400, "invalid_request"},
		{"invalid UTF-8", form(good + "&scope=%ff"), 400, "invalid_request"},
		{"grant_type twice", form(good + "&grant_type=client_credentials"), 400, "invalid_request"},
		{"client_id twice", form(good + "&client_id=batch"), 400, "invalid_request"},
		{"scope twice", form(good + "&scope=orders:read&scope=orders:read"), 400, "invalid_request"},
		{"scope twice, both empty", form(good + "&scope=&scope="), 400, "invalid_request"},
		{"unknown parameter twice", form(good + "&x=1&x=2"), 400, "invalid_request"},
		{"64 KiB", form(good + "&pad=" + strings.Repeat("x", 64<<10-len(good)-5)), 200, ""},
		{"64 KiB and one", form(good + "&pad=" + strings.Repeat("x", 64<<10-len(good)-4)), 413, "invalid_request"},
		{"large, length unknown", unknownLength, 413, "invalid_request"},
		{"query is ignored", query("scope=root&grant_type=password&x=%zz"), 200, ""},
		{"secret in the query", query("client_secret=x"), 400, "invalid_request"},
		{"client_id in the query", query("client_id=batch"), 400, "invalid_request"},
		{"assertion in the query", query("client_assertion=x"), 400, "invalid_request"},
		{"type of an assertion in the query", query("client_assertion_type=x"), 400, "invalid_request"},
		{"secret in the query, bad escape", query("client_secret=p%q"), 400, "invalid_request"},
		{"secret in the query, semicolon in it", query("client_secret=abc;def"), 400, "invalid_request"},
		{"secret in the query behind a semicolon", query("x=1;client_secret=abc"), 400, "invalid_request"},
		{"secret in the query behind a bad escape", query("x=%zz&%=%&client_secret=abc"), 400, "invalid_request"},
		{"secret in the query, empty", query("client_secret="), 400, "invalid_request"},
		{"secret in the query, no value", query("client_secret"), 400, "invalid_request"},
		{"secret in the query, no value, among others", query("a&client_secret&b"), 400, "invalid_request"},
		{"secret in the query, encoded name", query("client%5Fsecret=abc"), 400, "invalid_request"},
		{"secret in the query, bad escape in the name", query("client_secret%zz=abc"), 400, "invalid_request"},
		{"secret in the query, cut escape in the name", query("client_secret%=abc"), 400, "invalid_request"},
		{"secret in the query, cut escape of one digit", query("%63lient_secret%5=abc"), 400, "invalid_request"},
		{"another name in the query", query("client_secrets=x&xclient_id=x&=client_id&CLIENT_ID"), 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := s.do(c.r)
			if got := read(t, w); w.Code != c.status || got.Error != c.code {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			if c.status == 405 && w.Header().Get("Allow") != "POST" {
				t.Fatalf("Allow %q", w.Header().Get("Allow"))
			}
		})
	}
}
