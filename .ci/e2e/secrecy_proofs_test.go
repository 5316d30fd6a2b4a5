package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// Nothing of an assertion or a proof shows in what the plugin logs, whether it
// is good or bad. Caddy's own access log is the operator's: it has the headers.
func TestNothingOfProofsShows(t *testing.T) {
	t.Parallel()
	s := launchSigning(t)
	loud := replace(s.caddyfile, "{\n\tadmin", "{\n\tdebug\n\tlog {\n\t\tlevel DEBUG\n\t}\n\tadmin", "\tbind 127.0.0.1\n", "\tbind 127.0.0.1\n\tlog\n",
		"\toauth2 {\n", "\toauth2 {\n\t\tlimits {\n\t\t\ttoken_failures 1000 1m\n\t\t}\n")
	s.mustReload(t, loud)
	key, stranger := s.key, tokentest.NewKey(t, "ES256")

	assertions := []string{
		assertion(t, key, "file", nil), assertion(t, stranger, "file", nil), assertion(t, key, "nobody", nil),
		assertion(t, key, "file", tokentest.Members{"aud": "https://evil.example"}), assertion(t, key, "file", tokentest.Members{"exp": 1}),
		assertion(t, key, "file", tokentest.Members{"jti": nil}), assertion(t, key, "file", tokentest.Members{"typ": 7}),
	}
	for _, raw := range assertions {
		s.assert(t, raw)
		s.assert(t, raw)
		s.assert(t, raw[:len(raw)-3])
		s.assert(t, raw, "client_id", "inline")
		s.assert(t, raw, "client_secret", raw)
		s.assert(t, raw, "scope", raw)
		s.send(t, http.MethodPost, "/oauth2/token?client_assertion="+raw, grantForm, formType)
		s.send(t, http.MethodPost, "/oauth2/introspect", form("client_assertion_type", assertionType, "client_assertion", raw, "token", raw), formType)
	}
	secrets := assertions
	for _, change := range []tokentest.Members{nil, {"htm": "PUT"}, {"iat": 1}, {"jti": nil}, {"htu": 7}} {
		field := proof(t, key, "POST", "http://localhost/oauth2/token", "", change)
		secrets = append(secrets, strings.TrimPrefix(field, "DPoP: "))
		body := form("grant_type", "client_credentials", "client_assertion_type", assertionType, "client_assertion", assertion(t, key, "file", nil))
		s.send(t, http.MethodPost, "/oauth2/token", body, formType, field)
		s.get(t, "/orders", field, dpop(strings.TrimPrefix(field, "DPoP: ")))
	}

	var printed strings.Builder
	for line := range strings.Lines(s.output.String()) {
		if !strings.Contains(line, `"http.log.access`) {
			printed.WriteString(line)
		}
	}
	shown := map[string]string{"the output": printed.String(), "/metrics": s.adminGet(t, "/metrics"), "/config/": s.adminGet(t, "/config/")}
	for _, word := range []string{"token issued", `"reason":"assertion_aud"`, `"reason":"assertion_replayed"`, `"reason":"dpop_htm"`, "request refused"} {
		if !contains(shown["the output"], word) {
			t.Errorf("no %s in the output: this test would prove little", word)
		}
	}
	for _, secret := range secrets {
		for _, part := range strings.Split(secret, ".")[1:] {
			for place, text := range shown {
				if contains(text, part) || contains(text, url.QueryEscape(part)) {
					t.Errorf("a part of an assertion or proof shows in %s", place)
				}
			}
		}
	}
}
