package caddymodule

import (
	"cmp"
	"fmt"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Defaults of the app.
const (
	defaultTokenLifetime = time.Hour
	defaultRotateEvery   = 30 * 24 * time.Hour
	defaultPublishAhead  = 24 * time.Hour
	defaultFailures      = 10
	defaultFailuresPer   = time.Minute
)

// This file makes what the core is made of from the configuration, which has
// been resolved and checked.

func (a *App) setDefaults() {
	if a.TokenLifetime == 0 {
		a.TokenLifetime = Duration(defaultTokenLifetime)
	}
	if a.Signing.Algorithm == "" {
		a.Signing.Algorithm = string(token.ES256)
	}
	if a.Signing.RotateEvery == 0 {
		a.Signing.RotateEvery = RotationPeriod(defaultRotateEvery)
	}
	if a.Signing.PublishAhead == 0 {
		a.Signing.PublishAhead = Duration(defaultPublishAhead)
	}
	if a.DPoP.MaxAge == 0 {
		a.DPoP.MaxAge = Duration(proof.DefaultMaxAge)
	}
	failures := &a.Limits.TokenFailures
	failures.Count = cmp.Or(failures.Count, defaultFailures)
	failures.Duration = cmp.Or(failures.Duration, Duration(defaultFailuresPer))
}

func (a *App) algorithm() token.Algorithm { return token.Algorithm(a.Signing.Algorithm) }

// rotateEvery is 0 where keys are never rotated.
func (a *App) rotateEvery() time.Duration {
	if a.Signing.RotateEvery == NeverRotate {
		return 0
	}
	return time.Duration(a.Signing.RotateEvery)
}

// resources are the declared ones, or the one that there is by default.
func (a *App) resources() []Resource {
	if len(a.Resources) > 0 || a.Issuer == "" {
		return a.Resources
	}
	return []Resource{{Identifier: a.Issuer}}
}

// longestLifetime is that of any token this configuration can issue: as long
// must a key stay published after it signed its last one.
func (a *App) longestLifetime() time.Duration {
	longest := a.TokenLifetime
	for _, resource := range a.Resources {
		longest = max(longest, resource.TokenLifetime)
	}
	for _, c := range a.Clients {
		longest = max(longest, c.TokenLifetime)
	}
	for record := range a.shared.directory.All() {
		longest = max(longest, toClient(record).TokenLifetime)
	}
	return time.Duration(longest)
}

// keyConfig says what keys are made and when they change.
func (a *App) keyConfig() keys.Config {
	return keys.Config{
		Algorithm:       a.algorithm(),
		RotateEvery:     a.rotateEvery(),
		PublishAhead:    time.Duration(a.Signing.PublishAhead),
		LongestLifetime: a.longestLifetime(),
	}
}

// proofConfig is how DPoP proofs are judged.
func (a *App) proofConfig() proof.Config {
	config := proof.Config{
		MaxAge: time.Duration(a.DPoP.MaxAge), Marks: a.shared.marks, Horizon: &a.shared.horizon, Now: time.Now,
	}
	if a.DPoP.Nonce {
		config.Nonces = a.shared.nonces
	}
	return config
}

// longestProof is for how long an assertion or a proof can be good after it was
// made: what may have been used before an unclean stop is refused for as long.
func (a *App) longestProof() time.Duration {
	return max(client.MaxAssertionLifetime, time.Duration(a.DPoP.MaxAge)) + 2*token.Leeway
}

// aliveClients tells of every configured client whether it is enabled.
func (a *App) aliveClients() map[string]bool {
	alive := make(map[string]bool, len(a.Clients))
	for _, c := range a.Clients {
		alive[c.ID] = !c.Disabled
	}
	return alive
}

func (a *App) issuerConfig(registry *client.Registry) issuer.Config {
	config := issuer.Config{
		URL:           a.Issuer,
		TokenLifetime: time.Duration(a.TokenLifetime),
		ScopeAliases:  a.ScopeAliases,
		PublishAhead:  time.Duration(a.Signing.PublishAhead),

		EndpointAudience: a.AssertionAudience == "endpoint",

		Clients: registry,
		Authenticator: client.NewAuthenticator(client.AuthenticatorConfig{
			Registry: registry, Memory: rememberedSecrets(), Queue: slowHashes(), Marks: a.shared.marks, Now: time.Now,
		}),
		Proofs:      a.proofs,
		Standing:    a.standing,
		Epochs:      a.shared.ledger,
		Revocations: a.shared.revoked,
		Failures:    a.shared.failures,
		Advised:     a.shared.advised,
		FailureLimit: client.FailureLimit{
			Count: int(a.Limits.TokenFailures.Count), Per: time.Duration(a.Limits.TokenFailures.Duration),
		},
		Keys:     a.shared.ring,
		Observer: witness{a},
		Minted: func(raw, keyID string, claims *token.Claims) {
			a.cache.Issued(a.own, keyID, raw, claims)
		},
		Ready: a.ready,
	}
	for _, resource := range a.resources() {
		config.Resources = append(config.Resources, issuer.Resource{
			Identifier: resource.Identifier, Scopes: resource.Scopes, TokenLifetime: time.Duration(resource.TokenLifetime),
		})
	}
	return config
}

// declared are the roles with their scopes, and the resources.
func (a *App) declared() (roles map[string]token.Scopes, resources []string) {
	roles = make(map[string]token.Scopes, len(a.Roles))
	for _, role := range a.Roles {
		roles[role.Name] = role.Scopes
	}
	for _, resource := range a.resources() {
		resources = append(resources, resource.Identifier)
	}
	return roles, resources
}

// registry makes the set of clients.
func (a *App) registry() (*client.Registry, error) {
	roles, everything := a.declared()
	clients := make([]client.Client, 0, len(a.Clients))
	for i := range a.Clients {
		built, err := a.Clients[i].build(roles, everything)
		if err != nil {
			return nil, fmt.Errorf("client %q: %w", a.Clients[i].ID, err)
		}
		if err := a.credentials(&a.Clients[i], &built); err != nil {
			return nil, err
		}
		clients = append(clients, built)
	}
	return client.NewRegistry(clients)
}

// build makes the client; without resources of its own it may use everything.
func (c *Client) build(roles map[string]token.Scopes, everything []string) (client.Client, error) {
	built := client.Client{
		ID: c.ID, Name: c.Name, Subject: c.Subject, Roles: c.Roles, Resources: c.Resources,
		Scopes: c.Scopes, TokenLifetime: time.Duration(c.TokenLifetime), Disabled: c.Disabled,
		Introspect: introspectOf[c.Introspect], Require: client.Binding(c.Require),
		AllowBridge: c.AllowBridge,
	}
	if len(built.Resources) == 0 {
		built.Resources = everything
	}
	for _, role := range c.Roles {
		built.Scopes = built.Scopes.Union(roles[role])
	}
	if len(c.Claims) > 0 {
		built.Claims = make(map[string]any, len(c.Claims))
		for name, value := range c.Claims {
			built.Claims[name] = value
		}
	}
	for i := range c.Secrets {
		secret, err := c.Secrets[i].build()
		if err != nil {
			return client.Client{}, err
		}
		built.Secrets = append(built.Secrets, secret)
	}
	return built, nil
}

// introspectOf has what a client may introspect by the words of the
// configuration; the empty one is the default.
var introspectOf = map[string]client.Introspect{
	"": client.IntrospectOwn, "own": client.IntrospectOwn, "any": client.IntrospectAny, "none": client.IntrospectNone,
}

// forgetSecrets empties the exported fields into which placeholders were
// resolved: what the registry needs of them, it has by then.
func (a *App) forgetSecrets() {
	for i := range a.Clients {
		for j := range a.Clients[i].Secrets {
			secret := &a.Clients[i].Secrets[j]
			secret.Secret, secret.Hash = "", ""
		}
	}
}

// build makes the secret.
func (s *Secret) build() (client.Secret, error) {
	var expires time.Time
	if s.Expires != "" {
		var err error
		if expires, err = time.Parse(time.RFC3339, s.Expires); err != nil {
			return client.Secret{}, fmt.Errorf("secret: expires %q: expected a time like 2030-01-31T00:00:00Z", s.Expires)
		}
	}
	if s.Hash != "" {
		return client.NewHashedSecret(s.ID, s.Hash, expires)
	}
	return client.NewPlainSecret(s.ID, s.Secret, expires)
}
