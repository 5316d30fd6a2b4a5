package issuer

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Resource is a protected API that tokens can be meant for (RFC 8707).
type Resource struct {
	Identifier    string        // absolute URI without fragment: the `aud`
	Scopes        token.Scopes  // declared scopes; empty: any
	TokenLifetime time.Duration // 0: Config.TokenLifetime
}

// Config is what a [Server] is made of. All fields without a default are needed.
type Config struct {
	URL           string        // the issuer identifier, `iss`
	TokenLifetime time.Duration // whole seconds, at least one
	Resources     []Resource    // default: one, whose identifier is URL
	ScopeAliases  []string      // scope values that mean all that is granted; default none

	// EndpointAudience lets an assertion's `aud` be the url of a token endpoint
	// too. Default: the issuer url alone, or a server that is asked for a token
	// with another's url could use the assertion there (FAPI 2.0 section 5.3.2.1).
	EndpointAudience bool

	PublishAhead time.Duration // how long a key is in the JWKS before it signs; 0: the JWKS is not cached

	Clients       *client.Registry
	Authenticator *client.Authenticator // of these clients
	Standing      *client.Standing      // of these clients' tokens
	Epochs        Epochs
	Revocations   Revocations
	Proofs        *proof.Checker
	Failures      *client.Failures    // counts failed authentications
	Advised       *client.Failures    // the same where [Direct.Advisory]; default: Failures
	FailureLimit  client.FailureLimit // and how many there may be
	Keys          Keys
	Observer      Observer // default: nobody is told

	// Minted is given each token on its way to the client, with the key that signed
	// it and what it says, which nobody may change. Default: nobody is given it.
	Minted func(raw, keyID string, claims *token.Claims)

	// Ready returns nil as soon as there is what answers need, such as the first
	// key, or says what is missing. Default: everything is there.
	Ready func(context.Context) error
	Now   func() time.Time // default: time.Now
}

// Epochs tells the epochs that clients' new tokens carry. *client.Ledger does.
type Epochs interface {
	// Current is what is known at this moment.
	Current() *client.Epochs
}

// Revocations records revoked tokens. *revocation.List does.
type Revocations interface {
	// Revoke makes the token refused until it expires (Unix seconds). It is in
	// force and stored when nil is returned.
	Revoke(ctx context.Context, jti string, expires int64) error
}

// Keys signs, verifies and publishes. *keys.Ring does.
type Keys interface {
	token.Keys
	// Signer is the signer of the moment; an error where there is no key yet.
	Signer() (*token.Signer, error)
	// JWKS is the key set to publish (RFC 7517) and its entity tag.
	JWKS() (body []byte, etag string)
}

// validate completes the configuration and refuses one that could only fail later.
func (c *Config) validate() error {
	if c.Clients == nil || c.Authenticator == nil || c.Standing == nil || c.Epochs == nil || c.Revocations == nil || c.Proofs == nil || c.Keys == nil {
		return errors.New("issuer: clients, authenticator, standing, epochs, revocations, proofs and keys are needed")
	}
	if c.Failures == nil || c.FailureLimit.Count < 1 || c.FailureLimit.Per <= 0 {
		return errors.New("issuer: failures and a failure limit are needed")
	}
	if _, err := url.Parse(c.URL); err != nil || c.URL == "" {
		return fmt.Errorf("issuer url %q: expected an absolute url", c.URL)
	}
	if c.TokenLifetime < time.Second {
		return fmt.Errorf("token_lifetime %s: expected a second or more", c.TokenLifetime)
	}
	if len(c.Resources) == 0 {
		c.Resources = []Resource{{Identifier: c.URL}}
	}
	if c.Advised == nil {
		c.Advised = c.Failures
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Ready == nil {
		c.Ready = func(context.Context) error { return nil }
	}
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	return nil
}
