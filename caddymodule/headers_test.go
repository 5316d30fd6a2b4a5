package caddymodule

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

var someone = &token.Claims{ClientID: "batch", Issuer: "https://as.example", Scope: token.Scopes{"read", "write"}}

// No spelling of a header of ours that a client sends reaches the upstream:
// CGI and its heirs fold X_Client.Id to the same variable as X-Client-Id.
func TestScrubRemovesEverySpelling(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		gate    Gate
		methods bool
		header  string
		kept    bool
	}{
		{"as it is", Gate{}, false, "X-Client-Id", false},
		{"underscores", Gate{}, false, "X_client_ID", false},
		{"dots", Gate{}, false, "x.client.scope", false},
		{"odd characters", Gate{}, false, "X~Client!Issuer", false},
		{"longer", Gate{}, false, "X-Client-Id2", true},
		{"shorter", Gate{}, false, "X-Client", true},
		{"own names", Gate{IdentityHeaders: IdentityHeaders{Client: "Remote-User"}}, false, "remote_user", false},
		{"own names free the default", Gate{IdentityHeaders: IdentityHeaders{Client: "Remote-User"}}, false, "X-Client-Id", true},
		{"off", Gate{IdentityHeaders: IdentityHeaders{Off: true}}, false, "X-Client-Id", true},
		{"off, Authorization all the same", Gate{IdentityHeaders: IdentityHeaders{Off: true}}, false, "Authorization", false},
		{"Authorization", Gate{}, false, "Authorization", false},
		{"Authorization forwarded", Gate{ForwardToken: true}, false, "Authorization", true},
		{"DPoP", Gate{ForwardToken: true}, false, "Dpop", false},
		{"method override, rules with methods", Gate{}, true, "X-Http-Method-Override", false},
		{"method override, other spelling", Gate{}, true, "X_http_method", false},
		{"method override, no rules with methods", Gate{}, false, "X-Method-Override", true},
		{"path override, rules", Gate{Rules: []Rule{{Pattern: "/"}}}, false, "X-Original-Url", false},
		{"path override, other spelling", Gate{Rules: []Rule{{Pattern: "/"}}}, false, "X_rewrite.URL", false},
		{"path override, document", Gate{OpenAPI: "api.yaml"}, true, "X-Rewrite-Url", false},
		{"path override, no rules", Gate{}, false, "X-Original-Url", false},
		{"others", Gate{}, true, "Accept", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			policy := newHeaderPolicy(&c.gate, c.methods)
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header[c.header] = []string{"a", "b"}
			policy.scrub(r)
			if _, kept := r.Header[c.header]; kept != c.kept {
				t.Fatalf("kept: %v", kept)
			}
		})
	}
}

// Trailers come after the headers were scrubbed, and reverse_proxy forwards
// whatever stands there at the end of the body.
func TestScrubTrailers(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("body"))
	r.Trailer = http.Header{"X-Client-Id": nil, "Checksum": nil}
	newHeaderPolicy(&Gate{}, false).scrub(r)
	if _, kept := r.Trailer["X-Client-Id"]; kept {
		t.Fatal("announced trailer is kept")
	}
	r.Trailer["X_client_id"], r.Trailer["Checksum"] = []string{"root"}, []string{"1"} // as net/http does at the end
	if body, err := io.ReadAll(r.Body); err != nil || string(body) != "body" {
		t.Fatalf("body %q, %v", body, err)
	}
	if len(r.Trailer) != 1 || r.Trailer.Get("Checksum") != "1" {
		t.Fatalf("got %v", r.Trailer)
	}
}

// A client must not name our headers as hop-by-hop (reverse_proxy would drop
// them), nor leave HTTP by an upgrade that no gate understands.
func TestScrubConnection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		connection []string
		upgrade    []string
		want       []string
		upgrades   bool
	}{
		{"nothing", nil, nil, nil, false},
		{"keep-alive", []string{"keep-alive"}, nil, []string{"keep-alive"}, false},
		{"our header", []string{"X-Client-Id"}, nil, nil, false},
		{"our header in another spelling among others", []string{"close, x_client_scope ,X-Hop", "authorization"}, nil, []string{"close, X-Hop"}, false},
		{"websocket", []string{"Upgrade"}, []string{"websocket"}, []string{"Upgrade"}, true},
		{"websocket in capitals", []string{"keep-alive, upgrade"}, []string{"WebSocket"}, []string{"keep-alive, upgrade"}, true},
		{"h2c", []string{"Upgrade, HTTP2-Settings"}, []string{"h2c"}, []string{"HTTP2-Settings"}, false},
		{"websocket and h2c", []string{"Upgrade"}, []string{"websocket, h2c"}, nil, false},
		{"two upgrades", []string{"Upgrade"}, []string{"websocket", "h2c"}, nil, false},
		{"upgrade without Connection", nil, []string{"h2c"}, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if c.connection != nil {
				r.Header["Connection"] = c.connection
			}
			if c.upgrade != nil {
				r.Header["Upgrade"] = c.upgrade
			}
			newHeaderPolicy(&Gate{}, false).scrub(r)
			if !slices.Equal(r.Header["Connection"], c.want) {
				t.Fatalf("Connection %q", r.Header["Connection"])
			}
			if _, kept := r.Header["Upgrade"]; kept != c.upgrades {
				t.Fatalf("Upgrade %q", r.Header["Upgrade"])
			}
		})
	}
}

// The upstream is told what was verified, and nothing where nothing was.
func TestIdentify(t *testing.T) {
	t.Parallel()
	header := http.Header{}
	policy := newHeaderPolicy(&Gate{}, false)
	policy.identify(header, nil, new(identity))
	if len(header) != 0 {
		t.Fatalf("without claims: %v", header)
	}
	policy.identify(header, someone, new(identity))
	if header.Get("X-Client-Id") != "batch" || header.Get("X-Client-Scope") != "read write" || header.Get("X-Client-Issuer") != "https://as.example" {
		t.Fatalf("got %v", header)
	}
	bare := http.Header{}
	policy.identify(bare, &token.Claims{ClientID: "batch", Issuer: "i"}, new(identity))
	if _, found := bare["X-Client-Scope"]; found {
		t.Fatal("an empty scope header")
	}
	off := http.Header{}
	newHeaderPolicy(&Gate{IdentityHeaders: IdentityHeaders{Off: true}}, false).identify(off, someone, new(identity))
	if len(off) != 0 {
		t.Fatalf("off: %v", off)
	}
}

func FuzzFold(f *testing.F) {
	f.Add("X-Client-Id", "x_client_id")
	f.Add("a", "b")
	f.Fuzz(func(t *testing.T, one, other string) {
		folded := fold(other)
		if foldsTo(one, folded) != (fold(one) == folded) && ascii(one) && ascii(other) {
			t.Fatalf("%q %q", one, other)
		}
	})
}

func ascii(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c > 127 })
}
