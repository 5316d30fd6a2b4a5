package caddymodule

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
)

// metadataPaths are answered with metadata (RFC 8414, OpenID Connect
// Discovery, RFC 9728), wherever the issuer's own paths are.
var metadataPaths = []string{
	"/.well-known/oauth-authorization-server",
	"/.well-known/openid-configuration",
	"/.well-known/oauth-protected-resource",
}

// check judges the handler against the app, both with placeholders replaced.
// Zero values stand for the defaults.
func (i *Issuer) check(a *App) error { return checker{}.issuer(i, a) }

func (c checker) issuer(i *Issuer, a *App) error {
	root := place{}
	if a.Issuer == "" {
		return root.errorf("%w", errNoIssuer)
	}
	endpoints := root.sub("token_endpoints", "token_endpoint")
	if err := c.list(endpoints, i.TokenEndpoints, judgePath); err != nil {
		return err
	}
	taken := i.TokenEndpoints
	if len(taken) == 0 {
		taken = []string{issuer.DefaultTokenPath}
	}
	at, jwks := root.sub("jwks", "jwks"), i.JWKS
	if jwks == "" {
		jwks = issuer.DefaultJWKSPath
	}
	if collides := slices.Index(taken, jwks); collides >= 0 {
		if i.JWKS == "" {
			at = endpoints.item(collides)
		}
		return at.errorf("path %q is that of token_endpoint and of jwks: expected different paths", jwks)
	}
	return c.text(at, jwks, judgePath)
}

// judgePath accepts a path that every client and server spells alike, so that
// comparing bytes is enough.
func judgePath(value string) error {
	switch {
	case !strings.HasPrefix(value, "/") || value == "/":
		return fmt.Errorf("path %q: expected a path that begins with / and goes on", value)
	case path.Clean(value) != value:
		return fmt.Errorf("path %q: expected a clean path, such as %s", value, path.Clean(value))
	case (&url.URL{Path: value}).EscapedPath() != value || strings.ContainsAny(value, "*;"):
		return fmt.Errorf("path %q: expected characters that need no escape, and no * or ;", value)
	case slices.Contains(metadataPaths, value):
		return fmt.Errorf("path %q is that of metadata: expected another one", value)
	}
	return nil
}
