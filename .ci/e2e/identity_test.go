package e2e

import (
	"slices"
	"testing"
)

// The gates differ in what they do to headers; each has a folder of its own.
const identityCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		client batch {
			secret {env.BATCH_SECRET}
			scopes orders:read orders:write
			claims tenant acme
		}
		client scopeless {
			secret {env.BATCH_SECRET}
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer
	handle /plain/* {
		oauth2_gate
		reverse_proxy {$UPSTREAM}
	}
	handle /rules/* {
		oauth2_gate {
			require GET,POST /rules/ orders:read
			public GET,POST /rules/public/
		}
		reverse_proxy {$UPSTREAM}
	}
	handle /keep/* {
		oauth2_gate {
			forward_token
		}
		reverse_proxy {$UPSTREAM}
	}
	handle /off/* {
		oauth2_gate {
			identity_headers off
		}
		reverse_proxy {$UPSTREAM}
	}
	handle /own/* {
		oauth2_gate {
			identity_headers X-Caller X-Rights Token_From
		}
		reverse_proxy {$UPSTREAM}
	}
	handle /placeholders/* {
		oauth2_gate
		reverse_proxy {$UPSTREAM} {
			header_up X-Id {http.auth.user.id}
			header_up X-Scope "{http.auth.user.scope}"
			header_up X-Jti {http.auth.user.jti}
			header_up X-Iss {http.auth.user.issuer}
			header_up X-Tenant {http.auth.user.claims.tenant}
			header_up X-Sub {http.auth.user.claims.sub}
		}
	}
	handle_path /moved/* {
		oauth2_gate {
			require GET /orders/ orders:read
		}
		reverse_proxy {$UPSTREAM}
	}
}
`

func launchIdentity(t *testing.T) (c *instance, token string) {
	t.Helper()
	c = launch(t, identityCaddyfile, "BATCH_SECRET="+batchSecret)
	return c, c.token(t, "batch", batchSecret)
}

// one fails unless exactly one field or trailer is there for name, however it
// is spelt, and says value.
func (h heard) one(t testing.TB, name, value string) {
	t.Helper()
	if copies := h.copies(name); len(copies) != 1 || copies[0] != name+": "+value {
		t.Errorf("%s: the API heard %q, expected %q alone", name, copies, value)
	}
}

func (h heard) none(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if copies := h.copies(name); len(copies) > 0 {
			t.Errorf("the API heard %q", copies)
		}
	}
}

// spoofs are ways in which a client may try to be somebody else.
var spoofs = []struct {
	name string
	head []string // fields
	tail []string // body and trailers of a POST
}{
	{"exact", []string{"X-Client-Id: admin", "X-Client-Scope: all", "X-Client-Issuer: evil"}, nil},
	{"lower case", []string{"x-client-id: admin", "x-client-scope: all", "x-client-issuer: evil"}, nil},
	{"twice", []string{"X-Client-Id: admin", "X-Client-Id: root", "X-Client-Scope: a", "x-client-scope: b"}, nil},
	{"underscores", []string{"X_Client_Id: admin", "x_client_scope: all", "X_CLIENT_ISSUER: evil"}, nil},
	{"dots", []string{"X.Client.Id: admin", "x.client.scope: all", "X.Client-Issuer: evil"}, nil},
	{"odd characters", []string{"X~Client~Id: admin", "X!Client+Scope: all", "X`Client|Issuer: evil", "X-Client*Id: a", "X'Client^Id: a"}, nil},
	{"empty value", []string{"X-Client-Id:", "X-Client-Scope: "}, nil},
	{"named in Connection", []string{"Connection: X-Client-Id, X-Client-Scope, X-Client-Issuer"}, nil},
	{"named in Connection otherwise", []string{"Connection: keep-alive, x-client-id", "Connection: x_client_scope,X-CLIENT-ISSUER"}, nil},
	{"trailers", []string{"Trailer: X-Client-Id, x_client_scope, X-Fine"}, []string{"X-Client-Id: admin", "x_client_scope: all", "X-Fine: yes"}},
	{"trailers that are not announced", nil, []string{"X-Client-Id: admin", "X_Client_Id: root"}},
	{"trailers announced in odd spellings", []string{"Trailer: X.Client.Id", "Trailer: x-CLIENT-issuer"}, []string{"X.Client.Id: admin", "x-CLIENT-issuer: evil"}},
}

func (c *instance) spoof(t testing.TB, path string, head, tail []string, more ...string) heard {
	t.Helper()
	request := []string{"GET " + path + " HTTP/1.1", "Host: localhost"}
	if tail != nil {
		request = []string{"POST " + path + " HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked"}
	}
	request = append(append(request, more...), head...)
	if tail != nil {
		request = append(append(request, "", "4", "body", "0"), tail...)
	}
	c.raw(t, lines(append(request, "", "")...)).wantStatus(t, 200)
	got := c.upstream.only(t)
	if tail != nil && got.body != "body" {
		t.Errorf("the API heard the body %q", got.body)
	}
	if slices.Contains(tail, "X-Fine: yes") && !slices.Contains(got.trailers, "X-Fine: yes") {
		t.Errorf("the API heard the trailers %q", got.trailers)
	}
	return got
}

// Behind a gate the API hears the gate's words and nobody else's.
func TestIdentityHeaders(t *testing.T) {
	t.Parallel()
	c, token := launchIdentity(t)
	scopeless := c.token(t, "scopeless", batchSecret)
	for _, spoof := range spoofs {
		t.Run(spoof.name, func(t *testing.T) {
			for _, path := range []string{"/plain/x", "/rules/x", "/keep/x"} {
				got := c.spoof(t, path, spoof.head, spoof.tail, bearer(token))
				got.one(t, "X-Client-Id", "batch")
				got.one(t, "X-Client-Scope", "orders:read orders:write")
				got.one(t, "X-Client-Issuer", "http://localhost")
			}
			got := c.spoof(t, "/plain/x", spoof.head, spoof.tail, bearer(scopeless))
			got.one(t, "X-Client-Id", "scopeless")
			got.none(t, "X-Client-Scope")
		})
	}
}

// On a public route nobody was verified, so the API hears of nobody.
func TestIdentityHeadersOnPublicRoutes(t *testing.T) {
	t.Parallel()
	c, token := launchIdentity(t)
	for _, spoof := range spoofs {
		t.Run(spoof.name, func(t *testing.T) {
			c.spoof(t, "/rules/public/x", spoof.head, spoof.tail).none(t, "X-Client-Id", "X-Client-Scope", "X-Client-Issuer")
		})
	}
	got := c.spoof(t, "/rules/public/x", nil, nil, "Authorization: Basic eDp5", "DPoP: x")
	got.none(t, "Authorization", "DPoP")
	c.spoof(t, "/rules/public/x", nil, nil, bearer(token)).one(t, "X-Client-Id", "batch")
}

// A client may have these headers where the operator turned them off, and gets
// only those that have other names where the operator chose others.
func TestIdentityHeadersOffAndRenamed(t *testing.T) {
	t.Parallel()
	c, token := launchIdentity(t)
	got := c.spoof(t, "/off/x", []string{"X-Client-Id: mine", "x_client_scope: mine"}, nil, bearer(token))
	got.one(t, "X-Client-Id", "mine")
	got.none(t, "X-Client-Issuer", "Authorization")
	got = c.spoof(t, "/own/x", []string{"x_caller: admin", "X.Rights: all", "Token-From: evil", "X-Client-Id: mine"}, nil, bearer(token))
	got.one(t, "X-Caller", "batch")
	got.one(t, "X-Rights", "orders:read orders:write")
	got.one(t, "Token_from", "http://localhost")
	got.one(t, "X-Client-Id", "mine")
}

// Credentials stay with the gate.
func TestCredentialsDoNotReachTheAPI(t *testing.T) {
	t.Parallel()
	c, token := launchIdentity(t)
	for _, head := range [][]string{
		{"DPoP: proof"}, {"dpop: proof", "DPoP: proof"},
		{"Connection: Authorization, DPoP"}, {"X-Other: 1"},
	} {
		c.spoof(t, "/plain/x", head, nil, bearer(token)).none(t, "Authorization", "DPoP")
	}
	tail := []string{"Authorization: Bearer x", "DPoP: y"}
	c.spoof(t, "/plain/x", []string{"Trailer: Authorization, DPoP"}, tail, bearer(token)).none(t, "Authorization", "DPoP")

	for _, head := range [][]string{{"DPoP: proof"}, {"Connection: Authorization"}} {
		got := c.spoof(t, "/keep/x", head, nil, bearer(token))
		got.one(t, "Authorization", "Bearer "+token)
		got.none(t, "DPoP")
	}
}

// What some frameworks take for another method is removed where a rule looked
// at the method.
func TestMethodOverrides(t *testing.T) {
	t.Parallel()
	c, token := launchIdentity(t)
	head := []string{"X-HTTP-Method-Override: DELETE", "x_http_method: DELETE", "X-Method-Override: DELETE"}
	got := c.spoof(t, "/rules/x", head, nil, bearer(token))
	got.none(t, "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
	got = c.spoof(t, "/plain/x", head, nil, bearer(token))
	if len(got.copies("X-HTTP-Method-Override")) != 1 {
		t.Errorf("without rules it is none of the gate's business: %q", got.fields)
	}
}

func TestPlaceholders(t *testing.T) {
	t.Parallel()
	c, token := launchIdentity(t)
	_, claims := decode(t, token)
	got := c.spoof(t, "/placeholders/x", []string{"X-Id: admin", "X-Tenant: other"}, nil, bearer(token))
	for name, value := range map[string]string{
		"X-Id": "batch", "X-Scope": "orders:read orders:write", "X-Jti": claims["jti"].(string),
		"X-Iss": "http://localhost", "X-Tenant": "acme", "X-Sub": "batch",
	} {
		got.one(t, name, value)
	}
}

// Rules look at the path where the gate runs, after handle_path.
func TestRulesAfterHandlePath(t *testing.T) {
	t.Parallel()
	c, token := launchIdentity(t)
	got := c.spoof(t, "/moved/orders/1?x=1", nil, nil, bearer(token))
	if got.line != "GET /orders/1?x=1 HTTP/1.1" {
		t.Errorf("the API heard %q", got.line)
	}
	c.get(t, "/moved/admin", bearer(token)).wantError(t, 403, "access_denied")
	c.upstream.silent(t)
}
