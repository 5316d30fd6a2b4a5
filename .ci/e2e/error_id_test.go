package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// Each gate stands twice: with an answer of its own, and with a page for errors.
const errorIDCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		client batch {
			secret {env.BATCH_SECRET}
			scopes read
		}
		client other {
			secret {env.BATCH_SECRET}
			scopes read
		}
		client bound {
			secret {env.BATCH_SECRET}
			scopes read
			require dpop
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
		bearer_methods header body
		allow_clients batch bound
		require GET /read read
		require GET /write write
		require POST /read read
		bridge basic
	}
	reverse_proxy {$UPSTREAM}
}

http://:{$PORT} {
	import gated
}

http://:{$PAGES_PORT} {
	import gated
	handle_errors {
		respond "page|{http.oauth2.error}|{http.oauth2.error_id}|"
	}
}
`

// refusedInAllWays are requests, and the reasons in the log.
func refusedInAllWays(token, other, bound, forged string) map[string]struct{ request, code, reason string } {
	request := func(line string, fields ...string) string {
		return lines(append(append([]string{line + " HTTP/1.1", "Host: localhost", "Connection: close"}, fields...), "", "")...)
	}
	return map[string]struct{ request, code, reason string }{
		"no token":    {request("GET /read"), "unauthorized", "no_token"},
		"scheme":      {request("GET /read", "Authorization: Digest x"), "unauthorized", "scheme"},
		"format":      {request("GET /read", bearer("a.b.c")), "invalid_token", "malformed"},
		"forged":      {request("GET /read", bearer(forged)), "invalid_token", "key"},
		"no proof":    {request("GET /read", strings.Replace(bearer(bound), "Bearer", "DPoP", 1)), "invalid_dpop_proof", "dpop_missing"},
		"duplicate":   {request("GET /read", bearer(token), bearer(token)), "invalid_request", "duplicate"},
		"path":        {request("GET //read", bearer(token)), "invalid_request", "ambiguous_path"},
		"broken form": {request("POST /read", formType, "Transfer-Encoding: chunked") + "zz\r\n", "invalid_request", "body"},
		"scope":       {request("GET /write", bearer(token)), "insufficient_scope", "insufficient_scope"},
		"no rule":     {request("DELETE /read", bearer(token)), "access_denied", "no_rule"},
		"client":      {request("GET /read", bearer(other)), "access_denied", "client_not_allowed"},
		"no bridge":   {request("GET /read", basic("batch", batchSecret)), "invalid_client", "no_bridge"},
		"secret":      {request("GET /read", basic("legacy", wrongSecret)), "invalid_client", "wrong_secret"},
	}
}

// Whatever the refusal, its id is in the answer and in one line of the gate with the
// true reason; and the answer says no more than the contract.
func TestEveryRefusalIsFound(t *testing.T) {
	t.Parallel()
	pages := freePort(t)
	c := launch(t, errorIDCaddyfile, "BATCH_SECRET="+batchSecret, "LEGACY_SECRET="+legacySecret, fmt.Sprintf("PAGES_PORT=%d", pages))
	key := tokentest.NewKey(t, "ES256")
	bound := tokenOf(t, c.send(t, "POST", "/oauth2/token", grantForm, formType, basic("bound", batchSecret),
		proof(t, key, "POST", "http://localhost/oauth2/token", "", nil)))
	forged := foreignToken(t, key, nil, tokentest.Members{"iss": "http://localhost"})
	for name, one := range refusedInAllWays(c.token(t, "batch", batchSecret), c.token(t, "other", batchSecret), bound, forged) {
		for port, read := range map[int]func(string) (code, id string){c.port: readRefusal, pages: readPage} {
			code, id := read(exchange(t, fmt.Sprintf("127.0.0.1:%d", port), one.request))
			if code != one.code || len(id) != 36 {
				t.Errorf("%s: %q %q", name, code, id)
				continue
			}
			if err := c.await(`"error_id":"`+id+`","resource"`, 5*time.Second); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var found []string
			for line := range strings.Lines(c.output.String()) {
				if strings.Contains(line, id) && strings.Contains(line, `"msg":"request refused"`) {
					found = append(found, line)
				}
			}
			if len(found) != 1 || !strings.Contains(found[0], `"reason":"`+one.reason+`"`) {
				t.Errorf("%s: the id finds %q", name, found)
			}
		}
	}
	c.upstream.silent(t)
}

// readRefusal reads the answer of a gate.
func readRefusal(answer string) (code, id string) {
	_, body, _ := strings.Cut(answer, "\r\n\r\n")
	var members map[string]string
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		return err.Error(), answer
	}
	for name := range members {
		if !slices.Contains([]string{"error", "error_description", "error_id"}, name) {
			return "a further member", name
		}
	}
	return members["error"], members["error_id"]
}

// readPage reads that of handle_errors.
func readPage(answer string) (code, id string) {
	parts := strings.Split(answer, "|")
	if len(parts) != 4 {
		return "no page", answer
	}
	return parts[1], parts[2]
}
