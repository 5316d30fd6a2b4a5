package e2e

import (
	"strings"
	"testing"
)

// Of two sites at one port the first has handle_errors.
const errorsCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		client batch {
			secret {env.BATCH_SECRET}
			scopes orders:read
		}
	}
}

http://pages.localhost:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate {
		require GET /orders/ orders:read
		require POST /orders/ orders:write
	}
	reverse_proxy {$UPSTREAM}
	handle_errors {
		respond "page {err.status_code}: {http.oauth2.error}: {http.oauth2.error_description}"
	}
}

http://json.localhost:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate {
		require GET /orders/ orders:read
		require POST /orders/ orders:write
	}
	reverse_proxy {$UPSTREAM}
}
`

func TestHandleErrors(t *testing.T) {
	t.Parallel()
	c := launch(t, errorsCaddyfile, "BATCH_SECRET="+batchSecret)
	from := func(host, line, field string) answer {
		return c.raw(t, lines(line+" HTTP/1.1", "Host: "+host+".localhost", "Connection: close", field, "", ""))
	}
	body := form("grant_type", "client_credentials", "client_id", "batch", "client_secret", batchSecret)
	issued := c.raw(t, lines("POST /oauth2/token HTTP/1.1", "Host: json.localhost", "Connection: close", formType, "Content-Length: "+digits(len(body)), "", body))
	token := bearer(issued.members(t)["access_token"].(string))
	rows := []struct {
		line, field string
		status      int
		code        string
	}{
		{"GET /orders", "X-None: 1", 401, "unauthorized"},
		{"GET /orders", bearer("a.b.c"), 401, "invalid_token"},
		{"POST /orders", token, 403, "insufficient_scope"},
		{"GET /admin", token, 403, "access_denied"},
		{"GET //orders", token, 400, "invalid_request"},
	}
	for _, row := range rows {
		t.Run(row.line+" "+row.code, func(t *testing.T) {
			page, plain := from("pages", row.line, row.field), from("json", row.line, row.field)
			plain.wantError(t, row.status, row.code)
			description, _ := plain.members(t)["error_description"].(string)
			want := "page " + digits(row.status) + ": " + row.code + ": " + description
			if page.status != row.status || page.body != want {
				t.Errorf("%s, expected %q", page, want)
			}
			if page.header.Get("WWW-Authenticate") != plain.header.Get("WWW-Authenticate") {
				t.Errorf("challenges differ: %s and %s", page, plain)
			}
			c.upstream.silent(t)
		})
	}
	// The token endpoint speaks JSON to programs, whatever pages there are.
	refused := c.raw(t, lines("POST /oauth2/token HTTP/1.1", "Host: pages.localhost", "Connection: close", formType, "Content-Length: 0", "", ""))
	refused.wantError(t, 400, "invalid_request")
	if strings.Contains(from("pages", "GET /orders", token).body, "page") {
		t.Error("a good request got the page")
	}
}
