package caddymodule

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// A WebSocket over HTTP/2 or 3 arrives as CONNECT and reaches the API as GET:
// the rule for GET decides, and only there (RFC 8441, RFC 9220).
func TestExtendedConnect(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(config *gate.Config) {
		config.Rules = []gate.Rule{
			{Methods: []string{"GET"}, Pattern: "/socket", Scopes: token.Scopes{"read"}},
			{Methods: []string{"CONNECT"}, Pattern: "/socket", Scopes: token.Scopes{"connect"}},
			{Methods: []string{"POST"}, Pattern: "/socket", Scopes: token.Scopes{"write"}},
		}
	})
	for name, c := range map[string]struct {
		method, proto string
		major         int
		protocol      string
		needs         string
	}{
		"HTTP/2":                      {"CONNECT", "HTTP/2.0", 2, "websocket", "read"},
		"HTTP/3":                      {"CONNECT", "websocket", 3, "", "read"},
		"HTTP/1, field of that name":  {"CONNECT", "HTTP/1.1", 1, "websocket", "connect"},
		"HTTP/2, another protocol":    {"CONNECT", "HTTP/2.0", 2, "connect-udp", "connect"},
		"HTTP/2, capitals":            {"CONNECT", "HTTP/2.0", 2, "WebSocket", "connect"},
		"HTTP/2, no protocol":         {"CONNECT", "HTTP/2.0", 2, "", "connect"},
		"HTTP/3, another protocol":    {"CONNECT", "webtransport", 3, "", "connect"},
		"HTTP/3, field of that name":  {"CONNECT", "HTTP/3.0", 3, "websocket", "connect"},
		"HTTP/2, POST":                {"POST", "HTTP/2.0", 2, "websocket", "write"},
		"HTTP/3, POST":                {"POST", "websocket", 3, "", "write"},
		"HTTP/1, the usual handshake": {"GET", "HTTP/1.1", 1, "", "read"},
	} {
		for _, scope := range []string{"read", "connect", "write"} {
			r := prepared(t.Context(), http.MethodGet, "/socket", f.token(scope))
			r.Method, r.Proto, r.ProtoMajor = c.method, c.proto, c.major
			if c.protocol != "" {
				r.Header[":protocol"] = []string{c.protocol}
			}
			w := f.serve(r)
			if passed := f.seen != nil; passed != (scope == c.needs) || !passed && w.Code != 403 {
				t.Errorf("%s with %s: passed %v, %d %s", name, scope, passed, w.Code, w.Body)
			}
		}
	}
}

// A target that is neither a path nor an absolute url: what an API makes of it
// is not known, so no rule covers it, not even one for everything.
func TestOpaqueTargets(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(config *gate.Config) {
		config.Rules = []gate.Rule{{Pattern: "/", Public: true}}
	})
	for _, target := range []url.URL{
		{Scheme: "mailto", Opaque: "orders"},
		{Scheme: "http", Opaque: "/orders"},
		{Scheme: "http", Opaque: "//host/orders"},
		{Scheme: "http", Opaque: "/orders", Path: "/orders"}, // what goes on is Opaque
		{Opaque: "*"},
		{Path: "*"},
		{Path: ""},
		{Path: "orders"},
		{Path: "/a", RawPath: "/b"}, // no encoding of the path: EscapedPath is "/a"
	} {
		r := prepared(t.Context(), http.MethodGet, "/", f.token())
		r.URL = &target
		w := f.serve(r)
		if want := target.RawPath != ""; (f.seen != nil) != want || !want && w.Code != 400 {
			t.Errorf("%#v: passed %v, %d", target, f.seen != nil, w.Code)
		}
	}
}
