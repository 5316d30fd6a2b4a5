package caddymodule

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// Errors of a load go to terminals, logs and whoever reads the answer of the
// admin endpoint: what stands in the braces of a secret does not go with them.
func TestResolveQuotesNoSecret(t *testing.T) {
	t.Setenv("CADDY_TEST_EMPTY", "")
	for _, test := range []struct{ text, expected string }{
		{"prefix{" + secretMark + "horse}battery", "a placeholder that is not"},
		{"{" + secretMark + "}", "a placeholder that is not"},
		{"{}" + secretMark, "a placeholder that is not"},
		{"{environ." + secretMark + "}", "a placeholder that is not"},
		{"{http.request.header." + secretMark + "}", "a placeholder that is not"},
		{"{env.CADDY_TEST_EMPTY}{" + secretMark + "}", "a placeholder that is not"},
		{"{" + secretMark + "}{env.CADDY_TEST_EMPTY}", "a placeholder that is not"},
		{secretMark + strings.Repeat("{", 200), "unclosed"},
		{secretMark + "{env.CADDY_TEST_EMPTY}", "{env.CADDY_TEST_EMPTY} is empty"}, // the operator's own name
	} {
		for word, secret := range map[string]Secret{"secret": {Secret: test.text}, "secret_hash": {Hash: test.text}} {
			app := soundApp()
			app.Clients[0].Secrets = []Secret{secret}
			err := app.resolve(caddy.NewReplacer())
			if err == nil || !strings.HasPrefix(err.Error(), `client "nightly": `+word+": ") || !strings.Contains(err.Error(), test.expected) {
				t.Errorf("%s %q: %v", word, test.text, err)
			}
			if err != nil && strings.Contains(err.Error(), secretMark) {
				t.Errorf("%s: the error holds a secret: %v", word, err)
			}
		}
	}
}

// What is a placeholder, or a brace that was meant, is resolved as ever.
func TestResolveSecrets(t *testing.T) {
	t.Setenv("CADDY_TEST_SECRET", secretMark+"{env.HOME}")
	for text, want := range map[string]string{
		"{env.CADDY_TEST_SECRET}":   secretMark + "{env.HOME}",
		`a\{b\}` + secretMark:       "a{b}" + secretMark,
		secretMark + "{ not closed": secretMark + "{ not closed",
		secretMark + "}":            secretMark + "}",
	} {
		app := soundApp()
		app.Clients[0].Secrets = []Secret{{Secret: text}}
		if err := app.resolve(caddy.NewReplacer()); err != nil || app.Clients[0].Secrets[0].Secret != want {
			t.Errorf("%q: %q, %v", text, app.Clients[0].Secrets[0].Secret, err)
		}
	}
}
