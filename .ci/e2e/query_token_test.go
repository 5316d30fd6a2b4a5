package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// What comes behind the gate is an API that fails, one that is told of the request
// as it came, one in PHP's manner, and a page for errors.
const queryCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		client batch {
			secret {env.BATCH_SECRET}
			scopes read
		}
		client legacy {
			secret {env.LEGACY_SECRET}
			scopes read
			allow_bridge
		}
	}
}

(gated) {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate {
		bearer_methods header query
		bridge api_key X-Api-Key
	}
}

http://:{$PORT} {
	import gated
	handle /down/* {
		reverse_proxy 127.0.0.1:1
	}
	handle /error/* {
		error "it broke at {uri} {http.request.orig_uri} {http.request.header.X-Api-Key}" 503
	}
	handle /missing/* {
		error "nothing" 404
	}
	handle /php/* {
		reverse_proxy {env.PHP} {
			transport fastcgi
		}
	}
	handle {
		reverse_proxy {$UPSTREAM} {
			header_up X-Asked "{http.request.orig_uri}|{http.request.orig_uri.query}|{http.request.orig_uri.prefixed_query}|{uri}|{query}"
		}
	}
}

http://:{$PAGES_PORT} {
	import gated
	rewrite /rewritten/* /other?b=2
	reverse_proxy 127.0.0.1:1
	handle_errors {
		respond "page {http.request.orig_uri} {uri} {query} {http.error.message}"
	}
}
`

// A token in the query is in nothing that comes behind the gate, and in no error that
// is logged, whatever fails there (RFC 6750 section 5.3: it must not be in logs). The
// like holds for an API key.
func TestQueryTokenBehindTheGate(t *testing.T) {
	t.Parallel()
	php, pages := startFastCGI(t), freePort(t)
	c := launch(t, queryCaddyfile, "BATCH_SECRET="+batchSecret, "LEGACY_SECRET="+legacySecret, "PHP="+php, fmt.Sprintf("PAGES_PORT=%d", pages))
	raw := c.token(t, "batch", batchSecret)
	signature := strings.Split(raw, ".")[2]
	unseen := func(where, text string) {
		t.Helper()
		if strings.Contains(text, signature) || strings.Contains(text, legacySecret) {
			t.Errorf("%s: a secret shows in %s", where, text)
		}
	}
	for path, status := range map[string]int{"/down/x": 502, "/error/x": 503, "/missing/x": 404} {
		got := c.get(t, path+"?a=1&access_token="+raw+"&b")
		got.wantStatus(t, status)
		unseen(path, got.String())
		c.get(t, path, "X-Api-Key: "+legacySecret).wantStatus(t, status)
	}
	if err := c.await("it broke at /error/x?a=1&b /error/x?a=1&b", 5*time.Second); err != nil {
		t.Error(err)
	}
	for _, line := range []string{`"uri":"/down/x?a=1&b"`, `"status":502`, `"status":503`} {
		if !contains(strings.ReplaceAll(c.output.String(), `\u0026`, "&"), line) {
			t.Errorf("no line of the log has %s", line)
		}
	}
	c.get(t, "/api?a=1&access%5ftoken="+raw).wantStatus(t, 200)
	c.upstream.only(t).one(t, "X-Asked", "/api?a=1|a=1|?a=1|/api?a=1|a=1")
	if got := c.get(t, "/php/x?a=1&access_token="+raw); got.body != "/php/x?a=1 for batch" {
		t.Errorf("PHP heard %s", got)
	}
	for _, target := range []string{"/x?a=1&access_token=" + raw, "/rewritten/x?access_token=" + raw} {
		unseen(target, exchange(t, fmt.Sprintf("127.0.0.1:%d", pages), ask("GET", target)))
	}
	unseen("log", c.output.String())
}
