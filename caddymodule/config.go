package caddymodule

import "github.com/dd99cb49/caddy-client-credentials/issuer/gate"

// Signing says with what access tokens are signed and when keys change.
type Signing struct {
	// The signature algorithm: `ES256`, `ES384`, `EdDSA`, `RS256` or `PS256`.
	// Default: `ES256`. After a change the key of the former algorithm goes on
	// signing until the new one has been published for `publish_ahead`.
	Algorithm string `json:"alg,omitempty"`

	// How long a key signs before the next one takes over; `"never"` turns
	// rotation off. Default: `30d`.
	RotateEvery RotationPeriod `json:"rotate_every,omitempty"`

	// How long a key is in the JWKS before it signs the first token, so that a
	// resource server that caches the JWKS has seen it. Default: `24h`. The very
	// first key does not wait.
	PublishAhead Duration `json:"publish_ahead,omitempty"`
}

// Resource is a protected API: what a token's `aud` names (RFC 8707).
type Resource struct {
	// The resource's identifier: an absolute URI without fragment. It is the
	// `aud` of tokens and what the gate compares byte for byte.
	Identifier string `json:"identifier"`

	// The scopes that exist at this resource. Where there are some, a client's
	// scopes and a gate's scopes must be among them. Default: any scope.
	Scopes []string `json:"scopes,omitempty"`

	// How long tokens for this resource live. Default: the app's
	// `token_lifetime`. Of several resources in one token the shortest counts.
	TokenLifetime Duration `json:"token_lifetime,omitempty"`
}

// Role is a named bundle of scopes.
type Role struct {
	// The role's name, as it stands in the `roles` claim.
	Name string `json:"name"`

	// The scopes that a client with this role has.
	Scopes []string `json:"scopes"`
}

// Rule says what requests of some methods to some paths need.
type Rule struct {
	// The methods; none means every method. A rule for GET covers HEAD.
	Methods []string `json:"methods,omitempty"`

	// A path pattern as Go's net/http.ServeMux reads it: `/orders/{id}`,
	// `/files/{rest...}`, `/orders/` for a subtree. The most specific wins.
	Pattern string `json:"pattern"`

	// The scopes that are needed, all of them, besides the gate's own.
	// Default: any valid token will do.
	Scopes []string `json:"scopes,omitempty"`

	// One of the scopes is enough. Default: all of them are needed.
	Any bool `json:"any,omitempty"`

	// No token is needed. Excludes `scopes`. Default: false.
	Public bool `json:"public,omitempty"`
}

// build makes the rule of the core.
func (r Rule) build() gate.Rule {
	return gate.Rule{Methods: r.Methods, Pattern: r.Pattern, Scopes: r.Scopes, Any: r.Any, Public: r.Public}
}

// IdentityHeaders are the request headers in which the upstream is told who
// calls. Copies that a client sends never reach the upstream.
type IdentityHeaders struct {
	// Carries the token's `client_id`. Default: `X-Client-Id`.
	Client string `json:"client,omitempty"`

	// Carries the token's scope, space-separated. Default: `X-Client-Scope`.
	Scope string `json:"scope,omitempty"`

	// Carries the token's `iss`. Default: `X-Client-Issuer`.
	Issuer string `json:"issuer,omitempty"`

	// Leaves those headers alone: none is set and none is removed.
	// Default: false.
	Off bool `json:"off,omitempty"`
}
