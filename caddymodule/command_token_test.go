package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/caddymodule"
)

// The token is one that the gate takes; a secret with any characters arrives as
// it is.
func TestCommandTokenGet(t *testing.T) {
	const odd = "a secret: with %41+ä and more"
	s := newSite(t)
	s.load(`
		resource https://one.example {
			scopes read write
		}
		resource https://two.example {
			scopes read admin
		}
		client "odd: %41" {
			secret "`+odd+`"
			scopes read write admin
		}`, "oauth2_gate read {\nresource https://two.example\n}")
	base := []string{"token", "get", "--issuer", s.url, "--client-id", "odd: %41"}
	for name, c := range map[string]struct {
		arguments []string
		stdin     string
		gate      int
		scope     string
	}{
		"stdin":     {[]string{"--client-secret", "@-"}, odd + "\n", 401, "read write"},
		"no flag":   {nil, odd, 401, "read write"},
		"file":      {[]string{"--client-secret", "@" + secretFile(t, odd+"\n")}, "", 401, "read write"},
		"resource":  {[]string{"--resource", "https://two.example", "--scope", "read"}, odd, 200, "read"},
		"resources": {[]string{"--resource", "https://two.example", "--resource", "https://one.example", "--scope", " write  read "}, odd, 200, "write read"},
		"lesser":    {[]string{"--resource", "https://two.example", "--scope", "admin"}, odd, 403, "admin"},
	} {
		out, printed, err := caddymodule.CommandReading(strings.NewReader(c.stdin), append(base, c.arguments...)...)
		if err != nil || printed != "" || strings.Count(out, "\n") != 1 {
			t.Fatalf("%s: %q %q %v", name, out, printed, err)
		}
		if status, _, body := s.get("/", strings.TrimSpace(out)); status != c.gate {
			t.Errorf("%s: %d %s", name, status, body)
		}
		out, _, err = caddymodule.CommandReading(strings.NewReader(c.stdin), append(append(base, "--json"), c.arguments...)...)
		var answer map[string]any
		if err != nil || json.Unmarshal([]byte(out), &answer) != nil || answer["scope"] != c.scope ||
			answer["token_type"] != "Bearer" || answer["expires_in"] != 3600.0 || answer["access_token"] == "" || len(answer) != 4 {
			t.Errorf("%s: %s %v", name, out, err)
		}
	}
}

func TestCommandTokenGetRefuses(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, "oauth2_gate read")
	for name, c := range map[string]struct {
		arguments []string
		stdin     string
		says      string
	}{
		"wrong secret":    {[]string{"--client-id", "batch"}, "hunter2-hunter2", "status 401: invalid_client: client authentication failed"},
		"unknown client":  {[]string{"--client-id", "nobody"}, secret, "invalid_client"},
		"scope":           {[]string{"--client-id", "batch", "--scope", "admin"}, secret, "status 400: invalid_scope: "},
		"resource":        {[]string{"--client-id", "batch", "--resource", "https://x.example"}, secret, "invalid_target"},
		"on command line": {[]string{"--client-id", "batch", "--client-secret", "hunter2-hunter2"}, "", "list of processes"},
		"empty argument":  {[]string{"--client-id", "batch", "--client-secret", ""}, secret, "list of processes"},
		"empty secret":    {[]string{"--client-id", "batch"}, "\n", "it is empty"},
		"no file":         {[]string{"--client-id", "batch", "--client-secret", "@/nowhere/x"}, "", "--client-secret: file /nowhere/x does not exist"},
		"no client":       {nil, secret, "--client-id"},
		"another issuer":  {[]string{"--client-id", "batch", "--issuer", s.url + "/"}, secret, "issuer: expected " + s.url + "/, found"},
		"plain http":      {[]string{"--client-id", "batch", "--issuer", "http://api.example.com"}, secret, "expected https"},
		"no url":          {[]string{"--client-id", "batch", "--issuer", "api.example.com"}, secret, "expected https://"},
		"nobody there":    {[]string{"--client-id", "batch", "--issuer", "http://127.0.0.1:1"}, secret, "metadata at http://127.0.0.1:1/"},
		"no metadata":     {[]string{"--client-id", "batch", "--issuer", s.upstream.URL}, secret, "expected a JSON object"},
	} {
		arguments := append([]string{"token", "get", "--issuer", s.url}, c.arguments...)
		out, printed, err := caddymodule.CommandReading(strings.NewReader(c.stdin), arguments...)
		if err == nil || out != "" || !strings.Contains(printed, c.says) {
			t.Errorf("%s: %q %q %v", name, out, printed, err)
		}
		if strings.Contains(printed, secret) || strings.Contains(printed, "hunter2") {
			t.Errorf("%s: the secret is in %q", name, printed)
		}
	}
}

// strange is a server that says of itself what a test wants, and counts who sends
// it a secret.
func strange(t *testing.T, metadata func(url string) string, answer http.HandlerFunc) (url string, secrets *atomic.Int32) {
	t.Helper()
	secrets = new(atomic.Int32)
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			secrets.Add(1)
		}
		if strings.HasPrefix(r.URL.Path, "/.well-known/oauth-authorization-server") {
			_, _ = fmt.Fprint(w, metadata(server.URL))
			return
		}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, secrets
}

// A secret goes to the issuer's own token endpoint and nowhere else, and what a
// strange server answers does not speak to the terminal.
func TestCommandTokenGetStrangeServers(t *testing.T) {
	t.Parallel()
	good := func(url string) string { return fmt.Sprintf(`{"issuer":%q,"token_endpoint":%q}`, url, url+"/t") }
	text := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, text)
		}
	}
	for name, c := range map[string]struct {
		metadata func(string) string
		answer   http.HandlerFunc
		sent     int32
		says     string
	}{
		"endpoint elsewhere": {func(url string) string {
			return fmt.Sprintf(`{"issuer":%q,"token_endpoint":"http://api.example.com/t"}`, url)
		}, text(200, "{}"), 0, "token_endpoint: expected an https url"},
		"no endpoint": {func(url string) string { return fmt.Sprintf(`{"issuer":%q}`, url) }, text(200, "{}"), 0, "token_endpoint"},
		"user info": {func(url string) string {
			return fmt.Sprintf(`{"issuer":%q,"token_endpoint":"https://a:b@localhost/"}`, url)
		}, text(200, "{}"), 0, "token_endpoint"},
		"not JSON": {func(string) string { return "<html>" }, text(200, "{}"), 0, "JSON object"},
		"escapes":  {func(string) string { return `{"issuer":"\u001b[31mx"}` }, text(200, "{}"), 0, `found "?[31mx"`},
		"redirect": {good, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, 1, "redirects are not followed"},
		"page":          {good, text(502, "<html>"), 1, "status 502"},
		"odd error":     {good, text(400, `{"error":"\u001b[31mbad","error_description":"line\nline"}`), 1, "?[31mbad: line?line"},
		"no token":      {good, text(200, `{"token_type":"Bearer"}`), 1, "access_token"},
		"odd token":     {good, text(200, `{"access_token":"\u001b[31mx","token_type":"Bearer"}`), 1, "printable ASCII"},
		"not an answer": {good, text(200, `[]`), 1, "json"},
	} {
		url, secrets := strange(t, c.metadata, c.answer)
		out, printed, err := caddymodule.CommandReading(strings.NewReader(secret), "token", "get", "--issuer", url, "--client-id", "batch")
		if err == nil || out != "" || !strings.Contains(printed, c.says) || strings.ContainsRune(printed, 0x1b) || strings.Contains(printed, secret) {
			t.Errorf("%s: %q %q %v", name, out, printed, err)
		}
		if secrets.Load() != c.sent {
			t.Errorf("%s: %d requests had the secret, expected %d", name, secrets.Load(), c.sent)
		}
	}
}
