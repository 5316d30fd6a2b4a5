package e2e

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func digits(number int) string { return strconv.Itoa(number) }

// The issuer has a path, several token endpoints and a key set elsewhere; the
// gate has a matcher, so its metadata is at site level.
const metadataCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer https://login.example/tenant
		resource https://api.example/v1 {
			scopes orders:read
		}
		client batch {
			secret {env.BATCH_SECRET}
			scopes orders:read
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer {
		token_endpoint /token /old/token
		jwks /keys
	}
	oauth2_gate /v1/* orders:read
	reverse_proxy {$UPSTREAM}
}
`

func TestMetadata(t *testing.T) {
	t.Parallel()
	c := launch(t, metadataCaddyfile, "BATCH_SECRET="+batchSecret)
	paths := []string{
		"/.well-known/oauth-authorization-server/tenant",
		"/.well-known/openid-configuration/tenant",
		"/tenant/.well-known/openid-configuration",
	}
	first := c.get(t, paths[0])
	for _, path := range paths {
		got := c.get(t, path)
		got.wantStatus(t, 200)
		if got.body != first.body || got.header.Get("Content-Type") != "application/json" || !strings.HasPrefix(got.header.Get("Cache-Control"), "public, max-age=") {
			t.Errorf("%s: %s", path, got)
		}
		if post := c.send(t, "POST", path, ""); post.status != 405 || post.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %s", path, post)
		}
	}
	c.upstream.silent(t)
	document := first.members(t)
	for name, want := range map[string]any{
		"issuer":                                "https://login.example/tenant",
		"token_endpoint":                        "https://login.example/tenant/token",
		"jwks_uri":                              "https://login.example/tenant/keys",
		"grant_types_supported":                 []any{"client_credentials"},
		"response_types_supported":              []any{},
		"token_endpoint_auth_methods_supported": []any{"client_secret_basic", "client_secret_post"},
		"scopes_supported":                      []any{"orders:read"},
		"protected_resources":                   []any{"https://api.example/v1"},
	} {
		if !reflect.DeepEqual(document[name], want) {
			t.Errorf("%s: %v, expected %v", name, document[name], want)
		}
	}
}

func TestEndpointsBelowThePathOfTheIssuer(t *testing.T) {
	t.Parallel()
	c := launch(t, metadataCaddyfile, "BATCH_SECRET="+batchSecret)
	for _, path := range []string{"/tenant/token", "/tenant/old/token"} {
		got := c.send(t, "POST", path, grantForm, formType, basic("batch", batchSecret))
		got.wantStatus(t, 200)
		token, _ := got.members(t)["access_token"].(string)
		if _, claims := decode(t, token); claims["iss"] != "https://login.example/tenant" || claims["aud"] != "https://api.example/v1" {
			t.Errorf("claims: %v", claims)
		}
		c.get(t, "/v1/orders", bearer(token)).wantStatus(t, 200)
	}
	c.get(t, "/tenant/keys").wantStatus(t, 200)
	c.upstream.drain()
	// Everything else is not the issuer's, and goes on.
	for _, path := range []string{"/token", "/keys", "/tenant", "/tenant/token/", "/oauth2/token", "/tenant/oauth2/token", "/TENANT/token", "/.well-known/oauth-authorization-server"} {
		c.get(t, path)
		c.upstream.only(t)
	}
}

// The resource's metadata needs no token, and is there for challenges to name,
// though the gate's matcher matches other paths.
func TestResourceMetadata(t *testing.T) {
	t.Parallel()
	c := launch(t, metadataCaddyfile, "BATCH_SECRET="+batchSecret)
	const path = "/.well-known/oauth-protected-resource/v1"
	got := c.get(t, path)
	got.wantStatus(t, 200)
	want := map[string]any{
		"resource": "https://api.example/v1", "authorization_servers": []any{"https://login.example/tenant"},
		"scopes_supported": []any{"orders:read"}, "bearer_methods_supported": []any{"header"},
		"dpop_signing_alg_values_supported": []any{"ES256", "ES384", "EdDSA", "Ed25519", "RS256", "PS256"},
	}
	if members := got.members(t); !reflect.DeepEqual(members, want) {
		t.Errorf("%v, expected %v", members, want)
	}
	if got.header.Get("Content-Type") != "application/json" || !strings.HasPrefix(got.header.Get("Cache-Control"), "public, max-age=") {
		t.Errorf("headers: %v", got.header)
	}
	if post := c.send(t, "POST", path, ""); post.status != 405 || post.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %s", post)
	}
	if head := c.send(t, "HEAD", path, ""); head.status != 200 || head.body != "" {
		t.Errorf("HEAD: %s", head)
	}
	c.upstream.silent(t)
	challenge := c.get(t, "/v1/orders").header.Get("WWW-Authenticate")
	if !strings.Contains(challenge, `resource_metadata="https://api.example`+path+`"`) {
		t.Errorf("challenge: %s", challenge)
	}
	c.get(t, "/elsewhere").wantStatus(t, 200) // the matcher does not match
}

// The same key set may not be cached for longer than keys are published ahead.
func TestKeySetCaching(t *testing.T) {
	t.Parallel()
	c := launchReloadable(t, "", "")
	if got := c.get(t, "/oauth2/jwks").header.Get("Cache-Control"); got != "public, max-age=300" {
		t.Errorf("by default: %q", got)
	}
	c.mustReload(t, reloadable("signing ES256 {\n publish_ahead 1m\n}", ""))
	if got := c.get(t, "/oauth2/jwks").header.Get("Cache-Control"); got != "public, max-age=30" {
		t.Errorf("publish_ahead 1m: %q", got)
	}
}
