package caddymodule

import (
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// What a Caddyfile may not say, JSON may not either: a zero that somebody wrote
// is not the default.
func TestWrittenZeros(t *testing.T) {
	t.Parallel()
	const client, resource = `{"clients":[{"id":"a","token_lifetime":#}]}`, `{"resources":[{"identifier":"urn:x","token_lifetime":#}]}`
	for _, test := range []struct{ json, expected string }{
		{`{"token_lifetime":#}`, "token_lifetime: 0s: expected whole seconds"},
		{client, `client "a": token_lifetime: 0s: expected whole seconds`},
		{resource, `resource "urn:x": token_lifetime: 0s: expected whole seconds`},
		{`{"signing":{"rotate_every":#}}`, `rotate_every "0s": expected a positive duration or "never"`},
		{`{"signing":{"publish_ahead":#}}`, "signing: publish_ahead: 0s: expected a duration"},
		{`{"dpop":{"max_age":#}}`, "dpop: max_age: 0s: expected whole seconds"},
		{`{"limits":{"token_failures":{"duration":#}}}`, "token_failures: 0s: expected a duration"},
	} {
		for _, zero := range []string{"0", `"0"`, `"0s"`, `"-0h"`, `"0d"`} {
			app := new(App)
			err := caddy.StrictUnmarshalJSON([]byte(strings.Replace(test.json, "#", zero, 1)), app)
			if err == nil {
				err = app.check()
			}
			if err == nil || !strings.Contains(err.Error(), test.expected) {
				t.Errorf("%s, %s: %v", test.json, zero, err)
			}
		}
		app := new(App)
		if err := caddy.StrictUnmarshalJSON([]byte(strings.Replace(test.json, "#", "null", 1)), app); err != nil || app.check() != nil {
			t.Errorf("%s: null is not left out: %v, %v", test.json, err, app.check())
		}
	}
}

func TestNumbersThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for text, expected := range map[string]string{
		`{"token_lifetime":"soon"}`:                    `"soon": expected a duration`,
		`{"token_lifetime":true}`:                      "true: expected a duration",
		`{"token_lifetime":1.5}`:                       "1.5: expected a duration",
		`{"signing":{"rotate_every":"sometimes"}}`:     "rotate_every: expected a duration",
		`{"signing":{"rotate_every":-1}}`:              "rotate_every",
		`{"limits":{"token_failures":{"count":0}}}`:    "token_failures: count 0: expected a number above 0",
		`{"limits":{"token_failures":{"count":-3}}}`:   "token_failures: count -3",
		`{"limits":{"token_failures":{"count":2.5}}}`:  "token_failures: count 2.5",
		`{"limits":{"token_failures":{"count":"10"}}}`: `token_failures: count "10"`,
	} {
		if err := caddy.StrictUnmarshalJSON([]byte(text), new(App)); err == nil || !strings.Contains(err.Error(), expected) {
			t.Errorf("%s: %v", text, err)
		}
	}
	app := new(App)
	const good = `{"token_lifetime":"1d","limits":{"token_failures":{"count":3,"duration":"2m"}},"signing":{"rotate_every":"never"}}`
	if err := caddy.StrictUnmarshalJSON([]byte(good), app); err != nil || app.check() != nil {
		t.Fatal(err, app.check())
	}
	if app.TokenLifetime != Duration(24*time.Hour) || app.Limits.TokenFailures.Count != 3 || app.rotateEvery() != 0 {
		t.Errorf("%+v", app.Limits)
	}
}
