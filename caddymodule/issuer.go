package caddymodule

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
)

func init() { caddy.RegisterModule(new(Issuer)) }

// Issuer is the handler that answers at the authorization server's own paths
// (RFC 6749, RFC 8414) and passes every other request on. Paths are below the
// path of the app's issuer url.
type Issuer struct {
	// The paths of the token endpoint; the first is the one that the metadata
	// names. Default: `/oauth2/token`.
	TokenEndpoints []string `json:"token_endpoints,omitempty"`

	// The path of the JSON Web Key Set (RFC 7517). Default: `/oauth2/jwks`.
	JWKS string `json:"jwks,omitempty"`

	// The path of the introspection endpoint (RFC 7662), or `off`. Default:
	// `/oauth2/introspect`.
	Introspection string `json:"introspection,omitempty"`

	// The path of the revocation endpoint (RFC 7009), or `off`. Default:
	// `/oauth2/revoke`.
	Revocation string `json:"revocation,omitempty"`

	// Scheme and authority of a second site with the same paths that asks for
	// client certificates, for `mtls_endpoint_aliases` in the metadata (RFC 8705
	// section 5), such as `https://mtls.example.com`. Default: none.
	MTLSHost string `json:"mtls_host,omitempty"`

	handlers map[string]issuer.Handler
}

// CaddyModule returns the Caddy module information.
func (*Issuer) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.oauth2_issuer", New: func() caddy.Module { return new(Issuer) }}
}

// Provision judges the configuration and mounts the endpoints.
func (i *Issuer) Provision(ctx caddy.Context) error {
	app, err := appOf(ctx)
	if err != nil {
		return fmt.Errorf("oauth2_issuer: %w", err)
	}
	if err := i.resolve(caddy.NewReplacer()); err != nil {
		return fmt.Errorf("oauth2_issuer: %w", err)
	}
	if err := i.check(app); err != nil {
		return err
	}
	i.handlers, err = app.server.Mount(i.paths())
	if err != nil {
		return fmt.Errorf("oauth2_issuer: %w", err)
	}
	return nil
}

func (i *Issuer) paths() issuer.Paths {
	return issuer.Paths{
		Token: i.TokenEndpoints, JWKS: i.JWKS, Introspection: i.Introspection, Revocation: i.Revocation, MTLSHost: i.MTLSHost,
	}
}

// ServeHTTP answers at the issuer's own paths, and passes on what is not for it.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	handler, ours := i.handlers[r.URL.Path]
	if !ours {
		return next.ServeHTTP(w, r)
	}
	handler(w, r, peerOf(r))
	return nil
}

// appOf finds the app of the configuration that a handler belongs to.
func appOf(ctx caddy.Context) (*App, error) {
	module, err := ctx.AppIfConfigured("oauth2")
	if errors.Is(err, caddy.ErrNotConfigured) {
		return nil, errors.New("the global option `oauth2` is missing")
	}
	if err != nil {
		return nil, err
	}
	return module.(*App), nil
}

// Interface guards.
var (
	_ caddy.Provisioner           = (*Issuer)(nil)
	_ caddyhttp.MiddlewareHandler = (*Issuer)(nil)
)
