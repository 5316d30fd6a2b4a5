package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
)

func init() { caddy.RegisterModule(new(App)) }

// App is the authorization server's configuration and state: clients, keys and
// what tokens look like. The handlers `oauth2_issuer` and `oauth2_gate` serve it.
type App struct {
	// The issuer identifier, exactly as it stands in `iss`: an https url
	// without query, fragment or user info; http on loopback. Needed where an
	// `oauth2_issuer` or a gate for tokens of our own stands.
	Issuer string `json:"issuer,omitempty"`

	// How long access tokens live, at least a second. Default: `1h`.
	TokenLifetime caddy.Duration `json:"token_lifetime,omitempty"`

	// With what tokens are signed and when keys change.
	Signing Signing `json:"signing,omitzero"`

	// Scope values that mean "all I am granted", such as
	// `urn:opc:idm:__myscopes__`. Default: none.
	ScopeAliases []string `json:"scope_aliases,omitempty"`

	// The protected APIs. Default: one, whose identifier is the issuer url.
	Resources []Resource `json:"resources,omitempty"`

	// Named bundles of scopes.
	Roles []Role `json:"roles,omitempty"`

	// The clients that may ask for tokens.
	Clients []Client `json:"clients,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "oauth2", New: func() caddy.Module { return new(App) }}
}
