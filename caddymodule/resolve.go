package caddymodule

import (
	"fmt"
	"maps"

	"github.com/caddyserver/caddy/v2"
)

// resolver replaces Caddy's global placeholders in configured values and keeps
// the first error. A placeholder that is unknown or empty is one: an unset
// variable must not become an empty secret.
type resolver struct {
	repl *caddy.Replacer
	err  error
}

// text resolves one value. name is what an error calls it; the value itself
// never shows in one, for it may be a secret.
func (r *resolver) text(name string, value *string) {
	if *value == "" || r.err != nil {
		return
	}
	resolved, err := r.repl.ReplaceOrErr(*value, true, true)
	if err != nil {
		r.err = fmt.Errorf("%s: %w", name, err)
		return
	}
	*value = resolved
}

// secret resolves a value that no message quotes. Caddy's own names the
// placeholder that it does not know, and what stands in braces may be a part of
// the secret: only what looks like a placeholder is left to it.
func (r *resolver) secret(name string, value *string) {
	if r.err != nil {
		return
	}
	if err := (subdirective{secret: true}).checkPlaceholders(*value); err != nil {
		r.err = fmt.Errorf("%s: %w", name, err)
		return
	}
	r.text(name, value)
}

func (r *resolver) list(name string, values []string) {
	for i := range values {
		r.text(name, &values[i])
	}
}

// resolve replaces the placeholders in the app's configuration.
func (a *App) resolve(repl *caddy.Replacer) error {
	r := &resolver{repl: repl}
	r.text("issuer", &a.Issuer)
	r.text("signing", &a.Signing.Algorithm)
	r.list("scope_alias", a.ScopeAliases)
	r.text("assertion_audience", &a.AssertionAudience)
	for i := range a.Resources {
		resource := &a.Resources[i]
		r.text("resource", &resource.Identifier)
		r.list(fmt.Sprintf("resource %q: scopes", resource.Identifier), resource.Scopes)
	}
	for i := range a.Roles {
		role := &a.Roles[i]
		r.text("role", &role.Name)
		r.list(fmt.Sprintf("role %q", role.Name), role.Scopes)
	}
	for i := range a.Clients {
		a.Clients[i].resolve(r)
	}
	for i := range a.TrustedIssuers {
		a.TrustedIssuers[i].resolve(r)
	}
	return r.err
}

func (t *TrustedIssuer) resolve(r *resolver) {
	r.text("trusted_issuer", &t.Issuer)
	prefix := fmt.Sprintf("trusted_issuer %q: ", t.Issuer)
	r.text(prefix+"jwks_uri", &t.JWKSURI)
	r.text(prefix+"jwks", &t.JWKS)
	r.list(prefix+"algorithms", t.Algorithms)
	r.text(prefix+"scope_claim", &t.ScopeClaim)
	r.text(prefix+"client_claim", &t.ClientClaim)
	r.text(prefix+"typ", &t.Type)
}

func (c *Client) resolve(r *resolver) {
	r.text("client", &c.ID)
	prefix := fmt.Sprintf("client %q: ", c.ID)
	r.text(prefix+"name", &c.Name)
	r.text(prefix+"subject", &c.Subject)
	r.text(prefix+"introspect", &c.Introspect)
	r.list(prefix+"scopes", c.Scopes)
	r.list(prefix+"roles", c.Roles)
	r.list(prefix+"resources", c.Resources)
	if !inlineJSON(c.JWKS) {
		r.text(prefix+"jwks", &c.JWKS)
	}
	r.text(prefix+"jwks_uri", &c.JWKSURI)
	r.text(prefix+"tls_client_auth", &c.TLSClientAuth.Kind)
	r.text(prefix+"tls_client_auth", &c.TLSClientAuth.Value)
	r.text(prefix+"self_signed_tls_client_auth", &c.SelfSigned)
	r.text(prefix+"require", &c.Require)
	for i := range c.Secrets {
		secret := &c.Secrets[i]
		r.secret(prefix+"secret", &secret.Secret)
		r.secret(prefix+"secret_hash", &secret.Hash)
		r.text(prefix+"secret id", &secret.ID)
		r.text(prefix+"secret expires", &secret.Expires)
	}
	for name, value := range maps.Clone(c.Claims) {
		r.text(prefix+"claims "+name, &value)
		c.Claims[name] = value
	}
}

// resolve replaces the placeholders in the issuer handler's configuration.
func (i *Issuer) resolve(repl *caddy.Replacer) error {
	r := &resolver{repl: repl}
	r.list("token_endpoint", i.TokenEndpoints)
	r.text("jwks", &i.JWKS)
	r.text("introspection", &i.Introspection)
	r.text("revocation", &i.Revocation)
	r.text("mtls_host", &i.MTLSHost)
	return r.err
}
