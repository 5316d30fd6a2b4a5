package e2e

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Everything that Caddy can log is logged. The second site's gate hands the
// token on, which reverse_proxy logs the headers of.
const secrecyCaddyfile = `{
	admin {$ADMIN}
	debug
	log {
		level DEBUG
	}
	oauth2 {
		issuer http://localhost
		limits {
			token_failures 1000 1m
		}
		client batch {
			secret {env.BATCH_SECRET}
			secret_hash {env.OTHER_HASH}
			secret {env.OLD_SECRET} {
				id old
				expires 2020-01-01T00:00:00Z
			}
			scopes orders:read
		}
		client off {
			secret {env.OFF_SECRET}
			disabled
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	log
	oauth2_issuer
	handle /keep/* {
		oauth2_gate orders:read {
			forward_token
		}
		reverse_proxy {$UPSTREAM}
	}
	handle {
		oauth2_gate {
			require GET /orders/ orders:read
		}
		reverse_proxy {$UPSTREAM}
	}
}
`

const (
	offSecret   = "secret-of-a-disabled-client"
	wrongSecret = "wrong-but-maybe-right-elsewhere"
	// The SHA-256 of "cc_hashed-secret-for-tests".
	otherHash = "$sha256$FXdWzkr6ZWGYuMB34qNZut9c2UgQbCc/QxeRvl47BHo"
)

func TestNothingSecretShows(t *testing.T) {
	t.Parallel()
	c := launch(t, secrecyCaddyfile, "BATCH_SECRET="+batchSecret, "OLD_SECRET="+oldSecret, "OFF_SECRET="+offSecret, "OTHER_HASH="+otherHash)
	tokens := c.goodAndBadRequests(t)
	if got := c.reload(t, secrecyCaddyfile, "--force"); got.code != 0 {
		t.Fatal(got.all())
	}
	c.wantFailure(t, c.reload(t, strings.Replace(secrecyCaddyfile, "{env.OFF_SECRET}", "{env.OFF_SECRET} too-many-words-in-a-secret", 1)), "Caddyfile:")
	c.wantFailure(t, c.reload(t, strings.Replace(secrecyCaddyfile, "{env.OFF_SECRET}", "short-secret", 1)), `client "off"`)
	c.configure(t, secrecyCaddyfile)

	secrets := map[string]string{
		"a secret": batchSecret, "an expired secret": oldSecret, "a disabled client's secret": offSecret, "a wrong secret": wrongSecret,
		"a hash": otherHash, "Basic credentials": base64.StdEncoding.EncodeToString([]byte("batch:" + batchSecret)),
		"words of a mistake": "too-many-words-in-a-secret", "a secret that is too short": "short-secret",
	}
	for _, token := range tokens {
		parts := strings.Split(token, ".")
		secrets["claims of a token "+parts[2][:4]], secrets["signature of a token "+parts[2][:4]] = parts[1], parts[2]
	}
	for _, key := range c.privateKeys(t) {
		for i, line := range strings.Split(strings.TrimSpace(key), "\n") {
			if !strings.HasPrefix(line, "-----") && len(line) > 10 {
				secrets["line of a key "+string(rune('0'+i))] = line
			}
		}
	}
	secrets["the head of a key"] = "PRIVATE KEY"
	for place, text := range c.everythingThatShows(t) {
		for name, secret := range secrets {
			for _, spelling := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
				if strings.Contains(text, spelling) {
					t.Errorf("%s shows in %s", name, place)
				}
			}
		}
	}
}

// goodAndBadRequests makes requests of all kinds and returns the tokens.
func (c *instance) goodAndBadRequests(t *testing.T) (tokens []string) {
	t.Helper()
	token := c.token(t, "batch", batchSecret)
	tokens = append(tokens, token, c.token(t, "batch", batchSecret, "scope", "orders:read"))
	encoded := func(text string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(text))
	}
	for _, row := range []struct{ field, body string }{
		{basic("batch", wrongSecret), grantForm},
		{basic("batch", oldSecret), grantForm},
		{basic("off", offSecret), grantForm},
		{basic(batchSecret, "batch"), grantForm},
		{basic(oldSecret, "x"), grantForm},
		{encoded(batchSecret), grantForm},
		{encoded("batch:" + batchSecret + "%zz"), grantForm},
		{encoded("batch:\xff" + batchSecret), grantForm},
		{"Authorization: Basic " + batchSecret, grantForm},
		{"Authorization: " + batchSecret, grantForm},
		{bearer(token), grantForm},
		{"X-None: 1", grantForm + "&client_id=" + batchSecret + "&client_secret=batch"},
		{"X-None: 1", grantForm + "&client_id=batch&client_secret=" + wrongSecret},
		{"X-None: 1", grantForm + "&client_id=batch&client_secret=" + batchSecret + "&client_secret=" + wrongSecret},
		{"X-None: 1", grantForm + "&client_id=batch&client_secret=" + batchSecret + "&client_assertion=" + token},
		{"X-None: 1", grantForm + "&client_assertion_type=" + token + "&client_assertion=" + token},
		{basic("batch", batchSecret), "grant_type=" + batchSecret},
		{basic("batch", batchSecret), grantForm + "&scope=" + batchSecret},
		{basic("batch", batchSecret), grantForm + "&resource=" + batchSecret},
		{basic("batch", batchSecret), grantForm + "&" + batchSecret + "=%zz"},
		{basic("batch", batchSecret), grantForm + "&" + batchSecret + "=1&" + batchSecret + "=2"},
	} {
		if got := c.send(t, http.MethodPost, "/oauth2/token", row.body, formType, row.field); got.status < 400 || got.status >= 500 {
			t.Errorf("%s", got)
		}
	}
	header, claims := decode(t, token)
	forged := c.forger(t).sign(t, header, claims.with(object{"exp": time.Now().Unix() - 3600, "client_id": "batch"}))
	tokens = append(tokens, forged)
	for _, sent := range []string{token, forged, token[:len(token)-3], token + "x", "x" + token, "a.b." + wrongSecret, batchSecret} {
		for _, path := range []string{"/orders", "/nowhere", "/keep/x"} {
			c.get(t, path, bearer(sent))
		}
		c.get(t, "/orders", bearer(sent), bearer(sent))
		c.get(t, "/orders", "Authorization: DPoP "+sent)
	}
	return tokens
}

// everythingThatShows is what operators, log systems and whoever reads the
// admin endpoint get to see.
func (c *instance) everythingThatShows(t *testing.T) map[string]string {
	t.Helper()
	autosave, err := os.ReadFile(filepath.Join(c.folder, "config", "caddy", "autosave.json"))
	if err != nil {
		t.Fatal(err)
	}
	adapted := c.command(t, "adapt", "--config", c.caddyfile(), "--pretty")
	if adapted.code != 0 {
		t.Fatal(adapted.all())
	}
	shown := map[string]string{
		"the output": c.output.String(), "/config/": c.adminGet(t, "/config/"), "/metrics": c.adminGet(t, "/metrics"),
		"autosave.json": string(autosave), "caddy adapt": adapted.all(), "the key set": c.get(t, "/oauth2/jwks").body,
		"clients.json": readFile(t, c.stored(t, "clients.json")),
	}
	for _, text := range []string{`"oauth2.audit"`, "token issued", "token refused", "request refused", "http.log.access"} {
		if !strings.Contains(shown["the output"], text) {
			t.Errorf("no %s in the output: this test would prove little", text)
		}
	}
	return shown
}
