package e2e

import (
	"encoding/base64"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// All that Caddy can log is logged; UNTIL is when the bridge for Basic ends.
const bridgeCaddyfile = `{
	admin {$ADMIN}
	debug
	log {
		level DEBUG
		format filter {
			request>headers>X-Api-Key delete
		}
	}
	oauth2 {
		issuer http://localhost
		client batch {
			secret {env.BATCH_SECRET}
			scopes orders:read
		}
		client legacy {
			secret {env.LEGACY_SECRET}
			secret_hash {env.OTHER_HASH}
			scopes orders:read
			allow_bridge
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	log {
		format filter {
			request>headers>X-Api-Key delete
		}
	}
	oauth2_issuer
	oauth2_gate {
		require GET /orders/ orders:read
		require POST /orders/ orders:write
		public GET /health
		bridge basic {
			until UNTIL
		}
		bridge api_key X-Api-Key
	}
	reverse_proxy {$UPSTREAM}
}
`

const (
	legacySecret = "legacy secret+with%41:signs"
	hashedSecret = "cc_hashed-secret-for-tests" // of otherHash
)

func launchBridge(t *testing.T, until time.Time) *instance {
	t.Helper()
	return launch(t, strings.Replace(bridgeCaddyfile, "UNTIL", until.UTC().Format(time.RFC3339), 1),
		"BATCH_SECRET="+batchSecret, "LEGACY_SECRET="+legacySecret, "OTHER_HASH="+otherHash)
}

// curl is how such callers look: it prints the status and the two fields.
func (c *instance) curl(t *testing.T, path string, arguments ...string) string {
	t.Helper()
	command := exec.Command("curl", append([]string{
		"-sS", "--max-time", "10", "-o", "/dev/null", "-w", "%{http_code} %header{deprecation} %header{sunset}", c.url(path),
	}, arguments...)...)
	printed, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("curl: %v: %s", err, printed)
	}
	return strings.TrimSpace(string(printed))
}

// Callers as they are get through, with both kinds of credentials; the API is
// told who calls and gets no secret, and neither does anything that shows.
func TestBridge(t *testing.T) {
	t.Parallel()
	until := time.Now().Add(time.Hour)
	c := launchBridge(t, until)
	const passes = "200 @1735689600"
	withEnd := passes + " " + until.UTC().Format(http.TimeFormat)
	for name, test := range map[string]struct {
		expected  string
		arguments []string
	}{
		"basic":            {withEnd, []string{"-u", "legacy:" + legacySecret}},
		"basic, generated": {withEnd, []string{"-u", "legacy:" + hashedSecret}},
		"key":              {passes, []string{"-H", "X-Api-Key: " + legacySecret}},
		"key, generated":   {passes, []string{"-H", "x-api-key: " + hashedSecret, "-H", "X_Api_Key: forged", "-H", "X-Client-Id: admin"}},
	} {
		if got := c.curl(t, "/orders/7", test.arguments...); got != test.expected {
			t.Fatalf("%s: %s", name, got)
		}
		heard := c.upstream.only(t)
		heard.one(t, "X-Client-Id", "legacy")
		heard.one(t, "X-Client-Scope", "orders:read")
		heard.one(t, "X-Client-Issuer", "http://localhost")
		heard.none(t, "Authorization")
		heard.none(t, "X-Api-Key")
	}
	for name, test := range map[string]struct {
		expected, path string
		arguments      []string
	}{
		"nothing":         {"401", "/orders/7", nil},
		"wrong secret":    {"401", "/orders/7", []string{"-u", "legacy:" + wrongSecret}},
		"wrong key":       {"401", "/orders/7", []string{"-H", "X-Api-Key: " + wrongSecret}},
		"wrong, public":   {"401", "/health", []string{"-H", "X-Api-Key: " + wrongSecret}},
		"no bridge":       {"401", "/orders/7", []string{"-u", "batch:" + batchSecret}},
		"key, no bridge":  {"401", "/orders/7", []string{"-H", "X-Api-Key: " + batchSecret}},
		"lacks the scope": {"403", "/orders/7", []string{"-u", "legacy:" + legacySecret, "-X", "POST"}},
		"no rule":         {"403", "/", []string{"-u", "legacy:" + legacySecret}},
		"both":            {"400", "/orders/7", []string{"-u", "legacy:" + legacySecret, "-H", "X-Api-Key: " + legacySecret}},
		"token and key":   {"400", "/orders/7", []string{"-H", bearer(c.token(t, "batch", batchSecret)), "-H", "X-Api-Key: " + legacySecret}},
		"key as password": {"401", "/orders/7", []string{"-u", legacySecret + ":"}},
		"key as path":     {"401", "/orders/" + hashedSecret[:2], []string{"-u", hashedSecret + ":x"}},
	} {
		if got := c.curl(t, test.path, test.arguments...); got != test.expected {
			t.Errorf("%s: %s", name, got)
		}
	}
	c.upstream.silent(t)
	if got, err := c.tokenRequest("legacy", wrongSecret); err != nil || got.status != 401 {
		t.Errorf("%v %v", got, err)
	}
	c.wantBridgeShown(t)
}

func (c *instance) wantBridgeShown(t *testing.T) {
	t.Helper()
	report := c.command(t, "oauth2", "report", "--address", c.admin).all()
	shown := c.everythingThatShows(t)
	shown["the report"] = report
	for place, texts := range map[string][]string{
		"the report": {"in place of a token", "legacy  basic    2", "legacy  api_key  2"},
		"/metrics":   {`caddy_oauth2_bridged_total{kind="basic",outcome="passed"} 2`, `caddy_oauth2_bridged_total{kind="api_key",outcome="refused"} 3`},
		"the output": {"bridge refused", "bridge used", "a bridge without an end"},
	} {
		for _, text := range texts {
			if !strings.Contains(shown[place], text) {
				t.Errorf("no %q in %s:\n%s", text, place, shown[place])
			}
		}
	}
	for place, text := range shown {
		for _, secret := range []string{legacySecret, hashedSecret, wrongSecret, batchSecret} {
			for _, spelling := range []string{secret, base64.StdEncoding.EncodeToString([]byte("legacy:" + secret))} {
				if strings.Contains(text, spelling) {
					i := strings.Index(text, spelling)
					t.Errorf("a secret shows in %s: %q", place, text[max(0, i-300):i+100])
				}
			}
		}
	}
}

// On its day a bridge ends, without a reload.
func TestBridgeEnds(t *testing.T) {
	t.Parallel()
	until := time.Now().Add(4 * time.Second).Truncate(time.Second)
	c := launchBridge(t, until)
	credentials := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("legacy:"+legacySecret))
	if got := c.get(t, "/orders/7", credentials); got.status != 200 && time.Now().Before(until) {
		t.Fatal(got)
	}
	time.Sleep(time.Until(until.Add(10 * time.Millisecond)))
	got := c.get(t, "/orders/7", credentials)
	got.wantError(t, 401, "unauthorized")
	if challenges := strings.Join(got.header["Www-Authenticate"], " "); strings.Contains(challenges, "Basic") || got.header.Get("Deprecation") != "" {
		t.Errorf("%v", got.header)
	}
	if err := c.await(`"reason":"bridge_ended"`, patience); err != nil {
		t.Error(err)
	}
	if got := c.get(t, "/orders/7", "X-Api-Key: "+legacySecret); got.status != 200 {
		t.Errorf("the other bridge ended too: %s", got)
	}
	if got := c.reload(t, strings.Replace(bridgeCaddyfile, "UNTIL", until.UTC().Format(time.RFC3339), 1), "--force"); got.code != 0 {
		t.Fatal(got.all()) // it loads on that day too
	}
	if err := c.await("a bridge has ended", patience); err != nil {
		t.Error(err)
	}
}

// At a gate that only reports, what callers have always sent passes, and keeps
// nobody who changes over from the token endpoint.
func TestBridgeThatOnlyReports(t *testing.T) {
	t.Parallel()
	text := strings.Replace(bridgeCaddyfile, "bridge api_key", "report_only\n\t\tbridge api_key", 1)
	c := launch(t, strings.Replace(text, "until UNTIL", "", 1),
		"BATCH_SECRET="+batchSecret, "LEGACY_SECRET="+legacySecret, "OTHER_HASH="+otherHash)
	for _, sent := range []string{basic("legacy", "a password of the API's own"), basic("batch", batchSecret)} {
		for range 15 {
			c.get(t, "/orders/7", sent).wantStatus(t, 200)
			c.upstream.only(t).none(t, "X-Client-Id")
		}
	}
	for id, secret := range map[string]string{"legacy": hashedSecret, "batch": batchSecret} {
		if got := c.send(t, http.MethodPost, "/oauth2/token", grantForm, formType, basic(id, secret)); got.status != 200 {
			t.Errorf("%s asks for a token: %s", id, got)
		}
	}
}
