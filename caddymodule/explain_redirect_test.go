package caddymodule

import (
	"encoding/json"
	"strings"
	"testing"
)

// A script that asks whether a caller gets through must not be told so where it is
// sent elsewhere, where nobody listens, or where somebody else may refuse it.
func TestExplainJSONOfWhatIsNoPass(t *testing.T) {
	folder, signer := stored(t, "batch")
	t.Setenv("STORAGE", folder)
	const site = "oauth2_gate orders:read\n\treverse_proxy 127.0.0.1:9000\n}\n"
	off := strings.Replace(explainOptions, "{\n", "{\n\tauto_https disable_redirects\n", 1)
	for name, test := range map[string]struct{ caddyfile, url, status, result, by string }{
		"passes":   {"OPTIONS\napi.example.com {\n\t" + site, "https://api.example.com/", "0", "passed", ""},
		"redirect": {"OPTIONS\napi.example.com {\n\t" + site, "http://api.example.com/?access_token=hush", "2", "answered", "the redirect to https"},
		"nothing":  {off + "api.example.com {\n\t" + site, "http://api.example.com/", "2", "answered", "nothing"},
		"doubt":    {"OPTIONS\napi.example.com {\n\tforward_auth 127.0.0.1:9001 {\n\t\turi /check\n\t}\n\t" + site, "https://api.example.com/", "3", "unknown", ""},
	} {
		status, stdout, stderr := oauth2(t, "explain", "--config", writeCaddyfile(t, test.caddyfile), "--adapter", "caddyfile", "--json",
			"--request", "GET "+test.url, "--token", explainToken(t, signer, "scope=orders:read"))
		var got explanation
		if err := json.Unmarshal([]byte(stdout), &got); err != nil {
			t.Fatalf("%s: %v\n%s%s", name, err, stdout, stderr)
		}
		if status != test.status || got.Result != test.result || (got.Answer == nil) != (test.by == "") || got.Answer != nil && got.Answer.By != test.by {
			t.Errorf("%s: status %s\n%s", name, status, stdout)
		}
		if (got.Upstream != nil) != (test.by == "") || strings.Contains(stdout, "hush") || stderr != "" {
			t.Errorf("%s:\n%s%s", name, stdout, stderr)
		}
	}
}
