package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
)

func init() { caddy.RegisterModule(new(Gate)) }

// Gate is the handler in front of a protected API: it passes a request on only
// with a valid access token that grants what the request needs (RFC 6750).
type Gate struct {
	// The resource that tokens must be meant for, compared with `aud` byte for
	// byte. Default: the only one that the app has; needed when it has several.
	Resource string `json:"resource,omitempty"`

	// Scopes that every request needs, all of them. Default: none.
	Scopes []string `json:"scopes,omitempty"`

	// What single methods and paths need. With one rule or more, a request that
	// no rule covers is refused. Default: none; every request needs a token.
	Rules []Rule `json:"rules,omitempty"`

	// The client_ids that may pass. Default: every client.
	AllowClients []string `json:"allow_clients,omitempty"`

	// Lets the Authorization header reach the upstream. Default: false.
	ForwardToken bool `json:"forward_token,omitempty"`

	// The request headers that tell the upstream who calls.
	IdentityHeaders IdentityHeaders `json:"identity_headers,omitzero"`

	// The realm in challenges (RFC 9110 section 11.5). Default: the resource.
	Realm string `json:"realm,omitempty"`

	// Answers at the well-known url of the resource's metadata (RFC 9728) and
	// passes every other request on without looking at it. The Caddyfile adds
	// such a handler beside a gate that has a matcher. Default: false.
	MetadataOnly bool `json:"metadata_only,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*Gate) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.oauth2_gate", New: func() caddy.Module { return new(Gate) }}
}
