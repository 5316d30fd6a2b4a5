package caddymodule

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
)

// soundApp is a configuration without a mistake, as Provision sees it.
func soundApp() *App {
	return &App{
		Issuer: "https://api.example.com",
		Resources: []Resource{
			{Identifier: "https://api.example.com", Scopes: []string{"orders:read", "orders:write"}},
			{Identifier: "urn:stock", Scopes: []string{"stock:read"}},
		},
		Roles: []Role{{Name: "clerk", Scopes: []string{"orders:read", "stock:read"}}},
		Clients: []Client{{
			ID: "nightly", Roles: []string{"clerk"}, Scopes: []string{"orders:write"},
			Secrets: []Secret{{Secret: "hush-hush-hush-hush"}},
		}},
	}
}

// JSON by hand is judged as a Caddyfile is: the error names the client or the
// resource, the subdirective and the word.
func TestCheckApp(t *testing.T) {
	t.Parallel()
	client := func(change func(*Client)) func(*App) { return func(a *App) { change(&a.Clients[0]) } }
	for name, test := range map[string]struct {
		change   func(*App)
		expected string // empty: no error
	}{
		"sound":                 {func(*App) {}, ""},
		"empty":                 {func(a *App) { *a = App{} }, ""},
		"issuer":                {func(a *App) { a.Issuer = "http://api.example.com" }, `issuer: issuer url "http://api.example.com"`},
		"issuer with braces":    {func(a *App) { a.Issuer = "https://{env.X}" }, `issuer: issuer url "https://{env.X}"`},
		"lifetime negative":     {func(a *App) { a.TokenLifetime = -1 }, `token_lifetime: -1ns`},
		"lifetime sub-second":   {func(a *App) { a.TokenLifetime = Duration(time.Millisecond) }, `token_lifetime: 1ms`},
		"lifetime bound":        {func(a *App) { a.TokenLifetime = Duration(keys.MaxDuration) }, ""},
		"lifetime long":         {func(a *App) { a.TokenLifetime = Duration(keys.MaxDuration + time.Second) }, `token_lifetime: 175200h0m1s: expected whole seconds, from 1s to 7300d`},
		"resource lifetime":     {func(a *App) { a.Resources[0].TokenLifetime = Duration(keys.MaxDuration * 2) }, `resource "https://api.example.com": token_lifetime: 350400h0m0s`},
		"rotation long":         {func(a *App) { a.Signing.RotateEvery = RotationPeriod(keys.MaxDuration + 1) }, `signing: rotate_every: 175200h0m0.000000001s`},
		"publish_ahead long":    {func(a *App) { a.Signing.PublishAhead = Duration(keys.MaxDuration + 1) }, `signing: publish_ahead: 175200h`},
		"alg":                   {func(a *App) { a.Signing.Algorithm = "none" }, `signing: alg: unknown signature algorithm "none"`},
		"never":                 {func(a *App) { a.Signing.RotateEvery = NeverRotate }, ""},
		"rotation":              {func(a *App) { a.Signing.RotateEvery = 5 }, `signing: rotate_every: 5ns`},
		"publish_ahead":         {func(a *App) { a.Signing.PublishAhead = -5 }, `signing: publish_ahead: -5ns`},
		"alias":                 {func(a *App) { a.ScopeAliases = []string{""} }, `scope_alias: scope ""`},
		"alias is a scope":      {func(a *App) { a.ScopeAliases = []string{"stock:read"} }, `resource "urn:stock": scopes: "stock:read" is a scope_alias`},
		"resource empty":        {func(a *App) { a.Resources[1].Identifier = "" }, `resource "": resource identifier ""`},
		"resource twice":        {func(a *App) { a.Resources[1].Identifier = a.Issuer }, `resource "https://api.example.com": stands twice`},
		"role without name":     {func(a *App) { a.Roles[0].Name = "" }, `role "": empty value`},
		"role without scopes":   {func(a *App) { a.Roles[0].Scopes = nil }, `role "clerk": no scopes`},
		"role with other scope": {func(a *App) { a.Roles[0].Scopes = []string{"x"} }, `role "clerk": scopes: unknown scope "x": expected one of orders:read, orders:write, stock:read`},
		"client twice":          {func(a *App) { a.Clients = append(a.Clients, a.Clients[0]) }, `client "nightly": stands twice`},
		"client id":             {client(func(c *Client) { c.ID = "a\nb" }), `client "a\nb": client_id "a\nb"`},
		"client id empty":       {client(func(c *Client) { c.ID = "" }), `client "": client_id ""`},
		"client id with braces": {client(func(c *Client) { c.ID = "{env.X}" }), ""},
		"client name":           {client(func(c *Client) { c.Name = "a\x00" }), `client "nightly": name: "a\x00"`},
		"client subject":        {client(func(c *Client) { c.Subject = "\xff" }), `client "nightly": subject: "\xff"`},
		"client role":           {client(func(c *Client) { c.Roles = []string{"x"} }), `client "nightly": roles: unknown role "x": expected one of clerk`},
		"client scope":          {client(func(c *Client) { c.Scopes = []string{"x"} }), `client "nightly": scopes: unknown scope "x"`},
		"client resource":       {client(func(c *Client) { c.Resources = []string{"urn:x"} }), `client "nightly": resources: unknown resource "urn:x"`},
		"scope of another":      {client(func(c *Client) { c.Resources = []string{"urn:stock"} }), `client "nightly": scopes: unknown scope "orders:write": expected one of stock:read`},
		"client lifetime":       {client(func(c *Client) { c.TokenLifetime = -1 }), `client "nightly": token_lifetime: -1ns`},
		"claim":                 {client(func(c *Client) { c.Claims = map[string]string{"cnf": "x"} }), `client "nightly": claims: claim "cnf" is registered`},
		"claim without name":    {client(func(c *Client) { c.Claims = map[string]string{"": "x"} }), `client "nightly": claims: empty value`},
		"claim without value":   {client(func(c *Client) { c.Claims = map[string]string{"b": "x", "a": ""} }), `client "nightly": claims a: empty value`},
		"claim with control":    {client(func(c *Client) { c.Claims = map[string]string{"a": "b\nc"} }), `client "nightly": claims a: "b\nc": expected UTF-8 text`},
		"claim not UTF-8":       {client(func(c *Client) { c.Claims = map[string]string{"a": "\xff"} }), `client "nightly": claims a: "\xff"`},
		"secret short":          {client(func(c *Client) { c.Secrets[0].Secret = "hush" }), `client "nightly": secret "1": secret of 4 bytes`},
		"secret with braces":    {client(func(c *Client) { c.Secrets[0].Secret = "{hush}" }), `client "nightly": secret "1": secret of 6 bytes`},
		"secret not UTF-8":      {client(func(c *Client) { c.Secrets[0].Secret = "hush-hush-hush-hush\xff" }), `client "nightly": secret "1": `},
		"secret empty":          {client(func(c *Client) { c.Secrets[0].Secret = "" }), `client "nightly": secret "1": expected either`},
		"secret and hash":       {client(func(c *Client) { c.Secrets[0].Hash = "$sha256$hush" }), `client "nightly": secret_hash "1": expected either`},
		"hash":                  {client(func(c *Client) { c.Secrets[0] = Secret{Hash: "$md5$hush"} }), `client "nightly": secret_hash "1": secret hash`},
		"expires":               {client(func(c *Client) { c.Secrets[0].Expires = "tomorrow" }), `client "nightly": secret "1": expires: "tomorrow"`},
		"secret id": {client(func(c *Client) {
			c.Secrets = append(c.Secrets, Secret{ID: "1", Secret: "hush-hush-hush-husk"})
		}), `client "nightly": secret "1": id "1" stands twice`},
	} {
		app := soundApp()
		test.change(app)
		expectMistake(t, name, app.check(), test.expected)
	}
}

func expectMistake(t *testing.T, name string, err error, expected string) {
	t.Helper()
	switch {
	case expected == "" && err == nil:
	case expected == "" || err == nil || !strings.HasPrefix(err.Error(), expected):
		t.Errorf("%s: got %v, expected %q", name, err, expected)
	case strings.Contains(err.Error(), secretMark):
		t.Errorf("%s: the error holds a secret: %v", name, err)
	case errors.Unwrap(err) == nil:
		t.Errorf("%s: the error wraps nothing", name)
	}
}

func TestCheckIssuer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		issuer   Issuer
		expected string
	}{
		"sound":            {Issuer{TokenEndpoints: []string{"/a", "/b"}, JWKS: "/.well-known/jwks.json"}, ""},
		"empty path":       {Issuer{TokenEndpoints: []string{""}}, `token_endpoint: path ""`},
		"braces":           {Issuer{JWKS: "/{env.X}"}, `jwks: path "/{env.X}"`},
		"encoded":          {Issuer{JWKS: "/%61"}, `jwks: path "/%61"`},
		"collides default": {Issuer{JWKS: "/oauth2/token"}, `jwks: path "/oauth2/token" is that of token_endpoint`},
	} {
		expectMistake(t, name, test.issuer.check(soundApp()), test.expected)
	}
	expectMistake(t, "no issuer", new(Issuer).check(new(App)), "the global option oauth2 has no issuer")
}

// The bound is written as people write it.
func TestLongestIsWhatKeysTake(t *testing.T) {
	t.Parallel()
	if parsed, err := caddy.ParseDuration(longest); err != nil || parsed != keys.MaxDuration {
		t.Errorf("%s is %s, expected %s (%v)", longest, parsed, keys.MaxDuration, err)
	}
}
