package e2e

import (
	"fmt"
	"testing"
)

// Sites that answer errors in all ways. The last part of a host says how.
const explainErrorsCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		client reader {
			secret {env.BATCH_SECRET}
			scopes read
		}
	}
}

(gated) {
	bind 127.0.0.1
	oauth2_issuer
	handle /gone/* {
		error 410
	}
	handle /unsaid/* {
		header X-Nothing here
	}
	handle {
		rewrite * /v1{uri}
		oauth2_gate {
			bearer_methods header body
			require * /v1/ read
			require * /v1/closed/ write
		}
		reverse_proxy {$UPSTREAM}
	}
}

http://plain.localhost:{$PORT} {
	import gated
}
http://page.localhost:{$PORT} {
	import gated
	handle_errors {
		respond "sorry"
	}
}
http://other.localhost:{$PORT} {
	import gated
	handle_errors 401 410 {
		respond "nothing here" 404
	}
}
http://fine.localhost:{$PORT} {
	import gated
	handle_errors 403 {
		header X-Page yes
		encode gzip
		respond "all is well" 200
	}
}
http://gate.localhost:{$PORT} {
	import gated
	handle_errors {
		oauth2_gate read
		reverse_proxy {$UPSTREAM}
	}
}
http://proxy.localhost:{$PORT} {
	import gated
	handle_errors 401 {
		reverse_proxy {$UPSTREAM}
	}
}
`

// What explain says of errors is what Caddy does, wherever they are answered.
func TestExplainErrors(t *testing.T) {
	t.Parallel()
	c := launch(t, explainErrorsCaddyfile, "BATCH_SECRET="+batchSecret)
	grant := form("grant_type", "client_credentials", "client_id", "reader", "client_secret", batchSecret)
	token := tokenOf(t, c.raw(t, lines("POST /oauth2/token HTTP/1.1", "Host: plain.localhost", "Connection: close", formType, "Content-Length: "+digits(len(grant)), "", grant)))
	for _, site := range []string{"plain", "page", "other", "fine", "gate", "proxy"} {
		for _, path := range []string{"/open", "/closed/x", "/gone/x", "/unsaid/x"} {
			for how, given := range map[string]struct{ flags, fields []string }{
				"nothing": {}, "token": {[]string{"--token", token}, []string{bearer(token)}},
				"form": {[]string{"--data", "a=1&access_token=" + token}, []string{formType}},
			} {
				host := fmt.Sprintf("%s.localhost:%d", site, c.port)
				method, body := "GET", ""
				if how == "form" {
					method, body = "POST", "a=1&access_token="+token
				}
				c.upstream.drain()
				got := c.raw(t, lines(append([]string{method + " " + path + " HTTP/1.1", "Host: " + host, "Connection: close", "Content-Length: " + digits(len(body))},
					append(given.fields, "", body)...)...))
				heard := len(c.upstream.drain()) > 0
				answer, status := c.explained(t, method+" http://"+host+path, given.flags...)
				c.agrees(t, site+path+" "+how, answer, status, got.status, heard)
			}
		}
	}
}

// agrees holds an explanation against what has happened.
func (c *instance) agrees(t *testing.T, name string, answer map[string]any, exit, status int, heard bool) {
	t.Helper()
	upstream, passes := answer["upstream"].(map[string]any)
	if passes && upstream["handler"] == "static_response" { // it answers with what was asked for
		passes = false
		if status != 200 || exit != 0 && exit != 3 {
			t.Errorf("%s: %d, and it is said: %d %v", name, status, exit, answer)
		}
	}
	told, known := answer["answer"].(map[string]any)
	if passes != heard || known && told["status"] != float64(status) {
		t.Errorf("%s: %d, the API heard of it: %t, and it is said: %d %v", name, status, heard, exit, answer)
	}
	if result := answer["result"]; result == "passed" && (exit != 0 || status != 200) || result == "refused" && exit != 2 || result == "unknown" && exit != 3 {
		t.Errorf("%s: %d, %v, exit status %d", name, status, result, exit)
	}
}
