package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const gateCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		resource https://api.example/v1 {
			scopes orders:read orders:write admin
		}
		resource https://other.example
		client reader {
			secret {env.BATCH_SECRET}
			scopes orders:read
		}
		client writer {
			secret {env.BATCH_SECRET}
			scopes orders:read orders:write
		}
		client guest {
			secret {env.BATCH_SECRET}
			scopes orders:read
		}
		client off {
			secret {env.BATCH_SECRET}
			scopes orders:read
			disabled
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate orders:read {
		resource https://api.example/v1
		require GET /orders/ orders:read
		require POST,PUT /orders/ orders:write
		require GET /orders/{id}/notes/{rest...} orders:write
		require * /any orders:read
		public GET /health
		public * /open/
		allow_clients reader writer
		realm "the API"
	}
	reverse_proxy {$UPSTREAM}
}
`

func launchGate(t *testing.T) *instance {
	t.Helper()
	return launch(t, gateCaddyfile, "BATCH_SECRET="+batchSecret)
}

// bare is the challenge without an error.
const bare = `Bearer realm="the API", resource_metadata="https://api.example/.well-known/oauth-protected-resource/v1"`

// wantRefusal checks a refusal of the gate: status, code in body and challenge,
// and that the API did not hear of it.
func (c *instance) wantRefusal(t testing.TB, got answer, status int, code, challenge string) {
	t.Helper()
	got.wantError(t, status, code)
	c.upstream.silent(t)
	if got.header.Get("Content-Type") != "application/json" || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", got.header)
	}
	found := got.header.Values("WWW-Authenticate")
	if len(found) == 2 && strings.HasPrefix(found[1], `DPoP algs="`) { // where the other scheme would do
		found = found[:1]
	}
	if challenge == "" && len(found) > 0 || challenge != "" && (len(found) != 1 || !strings.HasPrefix(found[0], challenge)) {
		t.Errorf("WWW-Authenticate %q, expected %q", found, challenge)
	}
	description, _ := got.members(t)["error_description"].(string)
	if description == "" || strings.ContainsAny(description, "\"\\") {
		t.Errorf("error_description %q", description)
	}
}

func challengeWith(code string) string { return bare + `, error="` + code + `", error_description="` }

// Without a token: 401 with the bare challenge, whatever rule stands there.
func TestGateWithoutToken(t *testing.T) {
	t.Parallel()
	c := launchGate(t)
	rows := []struct {
		method, path string
		fields       []string
	}{
		{"GET", "/orders", nil},
		{"HEAD", "/orders/1", nil},
		{"DELETE", "/orders/1", nil},
		{"OPTIONS", "/orders/1", nil},
		{"GET", "/nowhere", nil},
		{"GET", "/", nil},
		{"POST", "/health", nil},
		{"GET", "/orders?access_token=a.b.c", nil},
		{"GET", "/orders", []string{"Authorization: Basic cmVhZGVyOng="}},
		{"GET", "/orders", []string{"Authorization: a.b.c"}},
		{"GET", "/orders", []string{"X-Client-Id: reader", "X-Client-Scope: orders:read"}},
		{"GET", "/orders", []string{"X-Forwarded-Uri: /health", "X-Original-URL: /health", "X-Rewrite-URL: /health"}},
		{"POST", "/orders", []string{"X-HTTP-Method-Override: GET"}},
	}
	for _, row := range rows {
		t.Run(fmt.Sprint(row.method, row.path, row.fields), func(t *testing.T) {
			got := c.send(t, row.method, row.path, "", row.fields...)
			if row.method == http.MethodHead {
				got.body = `{"error":"unauthorized","error_description":"none, in an answer to HEAD"}`
			}
			c.wantRefusal(t, got, 401, "unauthorized", bare)
			if strings.Contains(got.header.Get("WWW-Authenticate"), "error") {
				t.Errorf("an error code: %s", got)
			}
		})
	}
	token := c.token(t, "reader", batchSecret)
	got := c.get(t, "/orders?access_token="+token)
	c.wantRefusal(t, got, 401, "unauthorized", bare)
	got = c.send(t, "PUT", "/orders", form("access_token", token), formType)
	c.wantRefusal(t, got, 401, "unauthorized", bare)
}

func TestGateJudgesScopesAndRules(t *testing.T) {
	t.Parallel()
	c := launchGate(t)
	tokens := map[string]string{
		"reader": c.token(t, "reader", batchSecret), "writer": c.token(t, "writer", batchSecret), "guest": c.token(t, "guest", batchSecret),
		"write only": c.token(t, "writer", batchSecret, "scope", "orders:write"),
	}
	rows := []struct {
		who, method, path string
		status            int
		code              string
		scope             string // what is needed, where it is missing
	}{
		{"reader", "GET", "/orders", 200, "", ""},
		{"reader", "GET", "/orders/", 200, "", ""},
		{"reader", "HEAD", "/orders/17", 200, "", ""},
		{"reader", "PATCH", "/any", 200, "", ""},
		{"reader", "GET", "/health", 200, "", ""},
		{"writer", "POST", "/orders", 200, "", ""},
		{"writer", "GET", "/orders/17/notes/a/b", 200, "", ""},
		{"reader", "POST", "/orders", 403, "insufficient_scope", "orders:read orders:write"},
		{"reader", "PUT", "/orders/17", 403, "insufficient_scope", "orders:read orders:write"},
		{"reader", "GET", "/orders/17/notes/a", 403, "insufficient_scope", "orders:read orders:write"},
		{"reader", "HEAD", "/orders/17/notes/a", 403, "insufficient_scope", "orders:read orders:write"},
		{"write only", "GET", "/orders", 403, "insufficient_scope", "orders:read"},
		{"write only", "POST", "/orders", 403, "insufficient_scope", "orders:read orders:write"},
		{"writer", "DELETE", "/orders/17", 403, "access_denied", ""},
		{"writer", "OPTIONS", "/orders/17", 403, "access_denied", ""},
		{"writer", "get", "/orders/17", 403, "access_denied", ""},
		{"writer", "GET", "/nowhere", 403, "access_denied", ""},
		{"writer", "GET", "/Orders", 403, "access_denied", ""},
		{"writer", "GET", "/", 403, "access_denied", ""},
		{"writer", "POST", "/health", 403, "access_denied", ""},
		{"writer", "GET", "/health/", 403, "access_denied", ""},
		{"guest", "GET", "/orders", 403, "access_denied", ""},
	}
	for _, row := range rows {
		t.Run(row.who+" "+row.method+" "+row.path, func(t *testing.T) {
			got := c.send(t, row.method, row.path, "", bearer(tokens[row.who]))
			if row.status == 200 {
				got.wantStatus(t, 200)
				if challenge := got.header.Get("WWW-Authenticate"); challenge != "" {
					t.Errorf("a challenge: %q", challenge)
				}
				c.upstream.only(t)
				return
			}
			if row.method == http.MethodHead {
				got.body = `{"error":"` + row.code + `","error_description":"none, in an answer to HEAD"}`
			}
			challenge := ""
			if row.scope != "" {
				challenge = challengeWith(row.code)
				if !strings.HasSuffix(got.header.Get("WWW-Authenticate"), `, scope="`+row.scope+`"`) {
					t.Errorf("needed scope: %s", got)
				}
			}
			c.wantRefusal(t, got, row.status, row.code, challenge)
		})
	}
}

// What is wrong with the Authorization field itself.
func TestGateAuthorizationField(t *testing.T) {
	t.Parallel()
	c := launchGate(t)
	token := c.token(t, "reader", batchSecret)
	rows := []struct {
		name   string
		fields []string
		status int
		code   string
	}{
		{"any case", []string{"Authorization: bEaReR " + token}, 200, ""},
		{"spaces around", []string{"Authorization:   Bearer  " + token + "  "}, 200, ""},
		{"two fields", []string{bearer(token), bearer(token)}, 400, "invalid_request"},
		{"another spelling of the second", []string{bearer(token), "authorization: Bearer " + token}, 400, "invalid_request"},
		{"two schemes", []string{bearer(token), "Authorization: Basic eDp5"}, 400, "invalid_request"},
		{"a list", []string{bearer(token + ", Bearer " + token)}, 400, "invalid_request"},
		{"no token", []string{"Authorization: Bearer"}, 401, "invalid_token"},
		{"blank token", []string{"Authorization: Bearer "}, 401, "invalid_token"},
		{"not a JWS", []string{bearer("x")}, 401, "invalid_token"},
		{"two tokens", []string{bearer(token + " " + token)}, 401, "invalid_token"},
		{"not base64", []string{bearer("!.!.!")}, 401, "invalid_token"},
		{"not UTF-8", []string{bearer("\xff\xfe.\x80.\xc0")}, 401, "invalid_token"},
		{"five parts", []string{bearer(token + ".x.x")}, 401, "invalid_token"},
		{"padded", []string{bearer(token + "=")}, 401, "invalid_token"},
		{"cut", []string{bearer(token[:len(token)-1])}, 401, "invalid_token"},
		{"huge", []string{bearer(strings.Repeat("x", 14<<10))}, 401, "invalid_token"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			head := append([]string{"GET /orders HTTP/1.1", "Host: localhost", "Connection: close"}, row.fields...)
			got := c.raw(t, lines(append(head, "", "")...))
			if row.status == 200 {
				got.wantStatus(t, 200)
				c.upstream.only(t)
				return
			}
			c.wantRefusal(t, got, row.status, row.code, challengeWith(row.code))
		})
	}
}

// A bad token is refused also where no token is needed or no rule stands.
func TestGateBadTokenAnywhere(t *testing.T) {
	t.Parallel()
	c := launchGate(t)
	for _, path := range []string{"/health", "/open/x", "/nowhere"} {
		c.wantRefusal(t, c.get(t, path, bearer("a.b.c")), 401, "invalid_token", challengeWith("invalid_token"))
	}
	for _, path := range []string{"/health", "/open/x", "/open"} {
		c.get(t, path).wantStatus(t, 200)
		c.upstream.only(t)
	}
}
