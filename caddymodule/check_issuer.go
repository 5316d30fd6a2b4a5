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
	paths := i.paths().WithDefaults()
	taken := make(map[string]string) // the subdirective that has a path
	for _, path := range paths.Token {
		taken[path] = "token_endpoint"
	}
	for _, one := range []struct{ word, path, configured string }{
		{"jwks", paths.JWKS, i.JWKS},
		{"introspection", paths.Introspection, i.Introspection},
		{"revocation", paths.Revocation, i.Revocation},
	} {
		if one.path == issuer.Off && one.word != "jwks" {
			continue
		}
		at := root.sub(one.word, one.word)
		if other, collides := taken[one.path]; collides {
			if index := slices.Index(i.TokenEndpoints, one.path); one.configured == "" && index >= 0 {
				at = endpoints.item(index) // the default was there first
			}
			return at.errorf("path %q is that of %s and of %s: expected different paths", one.path, other, one.word)
		}
		taken[one.path] = one.word
		if err := c.text(at, one.path, judgePath); err != nil {
			return err
		}
	}
	if i.MTLSHost == "" {
		return nil
	}
	return c.text(root.sub("mtls_host", "mtls_host"), i.MTLSHost, judgeMTLSHost)
}

// judgeMTLSHost accepts an origin where there is TLS: without, there are no
// certificates.
func judgeMTLSHost(value string) error {
	if !strings.HasPrefix(value, "https://") {
		return fmt.Errorf("url %q: expected https:// and a host", value)
	}
	return judgeOrigin(value)
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
