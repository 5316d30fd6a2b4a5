package caddymodule

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

// provision is an app as it is after Provision, good or bad.
func provision(t *testing.T, option string) (*App, error) {
	t.Helper()
	parsed, err := parseOption(caddyfile.NewTestDispenser(option), nil)
	if err != nil {
		t.Fatal(err)
	}
	app := new(App)
	if err := caddy.StrictUnmarshalJSON(parsed.(httpcaddyfile.App).Value, app); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	t.Cleanup(cancel)
	return app, app.Provision(ctx)
}

// What placeholders were resolved to stays in no exported field, whether or not
// there is an issuer that needs it, and also where the configuration is refused.
func TestSecretsAreForgotten(t *testing.T) {
	t.Setenv("CADDY_TEST_SECRET", secretMark+"-hush-hush-hush")
	t.Setenv("CADDY_TEST_HASH", "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG")
	for name, option := range map[string]string{
		"no issuer": "oauth2 {\n client a {\n secret {env.CADDY_TEST_SECRET}\n secret_hash {env.CADDY_TEST_HASH}\n }\n}",
		"refused":   "oauth2 {\n client a {\n secret {env.CADDY_TEST_SECRET}\n secret_hash {env.CADDY_TEST_HASH}\n secret {env.CADDY_TEST_NONE}\n }\n}",
	} {
		app, err := provision(t, option)
		if (err != nil) != (name == "refused") {
			t.Errorf("%s: %v", name, err)
		}
		if shown := fmt.Sprintf("%+v", app.Clients); strings.Contains(shown, secretMark) || strings.Contains(shown, "$2b$") {
			t.Errorf("%s: %s", name, shown)
		}
	}
}
