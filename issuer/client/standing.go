package client

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Standing judges tokens of our own by what their clients are and may now. It
// is safe for concurrent use and takes no lock.
type Standing struct {
	registry *Registry
	ledger   *Ledger
	revoked  Revocations
}

// Revocations knows which tokens were revoked. *revocation.List does.
type Revocations interface {
	Revoked(jti string) bool
	// Generation grows whenever an answer of Revoked could have changed.
	Generation() uint64
}

// NewStanding binds the clients there are to the epochs they have reached and
// to the tokens that were revoked.
func NewStanding(registry *Registry, ledger *Ledger, revoked Revocations) *Standing {
	return &Standing{registry: registry, ledger: ledger, revoked: revoked}
}

// CheckToken judges a token whose signature and times are good. The error is a
// [*token.Error]: [token.CheckRevoked], [token.CheckClient] where the client is
// unknown or disabled or the token is from before it was,
// [token.CheckUnbound] where the client's tokens must be bound by now, or
// [token.CheckEntitlement] where the token carries a scope, a role or an
// audience that the client no longer has.
func (s *Standing) CheckToken(c *token.Claims) error {
	if s.revoked.Revoked(c.ID) {
		return &token.Error{Check: token.CheckRevoked}
	}
	client, known := s.registry.Lookup(c.ClientID)
	if !known {
		return &token.Error{Check: token.CheckClient, Cause: errors.New("unknown")}
	}
	if client.Disabled {
		return &token.Error{Check: token.CheckClient, Cause: errors.New("disabled")}
	}
	if s.ledger.outdated(client, token.Epoch(c.ID)) {
		return &token.Error{Check: token.CheckClient, Cause: errors.New("the token is from before the client was disabled or removed")}
	}
	if !client.Require.bound(c.Confirmation) {
		return &token.Error{Check: token.CheckUnbound}
	}
	if err := client.entitled(c); err != nil {
		return &token.Error{Check: token.CheckEntitlement, Cause: err}
	}
	return nil
}

// Generation is a number that no other registry of this process has, and that
// changes with the ledger and the revocations: both only ever grow. An answer of [Standing.CheckToken] may be remembered
// under the generation that was read before it was asked for.
func (s *Standing) Generation() uint64 {
	return uint64(s.registry.Version())<<32 + s.ledger.Generation() + s.revoked.Generation()
}

// entitled names the first thing in the claims that the client has not.
func (c *Client) entitled(claims *token.Claims) error {
	for _, scope := range claims.Scope {
		if !c.Scopes.Has(scope) {
			return fmt.Errorf("scope %s", scope)
		}
	}
	for _, role := range claims.Roles {
		if !slices.Contains(c.Roles, role) {
			return fmt.Errorf("role %q", role)
		}
	}
	for _, resource := range claims.Audience {
		if !slices.Contains(c.Resources, resource) {
			return fmt.Errorf("resource %q", resource)
		}
	}
	return nil
}
