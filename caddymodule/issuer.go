package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
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
}

// CaddyModule returns the Caddy module information.
func (*Issuer) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.oauth2_issuer", New: func() caddy.Module { return new(Issuer) }}
}
