package client

import (
	"context"
	"errors"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// Authenticator finds out which client a request comes from. It is safe for
// concurrent use.
//
// Every failed attempt costs the same, whatever the reason: of each class of
// slow hashes, as many as the client with the most has, and for an assertion
// that can be read one signature check more. Who is right pays less.
type Authenticator struct {
	AuthenticatorConfig
	audience []string                        // what the `aud` of an assertion may be
	compute  func(h *hash, text string) bool // the slow computation; tests count
}

// AuthenticatorConfig is what an [Authenticator] is made of. All fields are
// needed. Those but Registry are the process's own and outlive it.
type AuthenticatorConfig struct {
	Registry *Registry
	Memory   *Memory
	Queue    *Queue
	Marks    store.Marks // which assertions were used
	Now      func() time.Time
}

// NewAuthenticator returns an authenticator of the registry's clients.
func NewAuthenticator(config AuthenticatorConfig) *Authenticator {
	return &Authenticator{AuthenticatorConfig: config, compute: (*hash).compute}
}

// AcceptAudience adds values that the `aud` of an assertion may have; without
// any, no assertion is good. It is called before the first request.
func (a *Authenticator) AcceptAudience(values ...string) { a.audience = append(a.audience, values...) }

// ErrUnmarked says that a good assertion could not be noted as used, so that it
// cannot be accepted. It is no word on the credentials: the answer is 503.
var ErrUnmarked = errors.New("the use of a client assertion cannot be noted")

// ErrCostly says that cheap credentials are not those of a secret that can be
// told at no cost. It is no word on the credentials.
var ErrCostly = errors.New("a slow hash would have to be computed")

// Authenticate returns the client that the credentials prove. The error is a
// [*Failure] where they are not good, [ErrBusy] where too many wait for a slow
// hash, [ErrCostly] where cheap credentials need one, [ErrUnmarked], or the
// context's.
func (a *Authenticator) Authenticate(ctx context.Context, c Credentials) (Authenticated, error) {
	var who Authenticated
	var err error
	switch c.Method {
	case SecretBasic, SecretPost, BridgeBasic:
		return a.secret(ctx, c)
	case BridgeAPIKey:
		return a.apiKey(c)
	case PrivateKeyJWT:
		who, err = a.assertion(ctx, c)
	case TLSClientAuth, SelfSignedTLSClientAuth:
		who, err = a.certificate(c)
	default:
		err = &Failure{Reason: ReasonMalformed}
	}
	if errors.Is(err, ErrInvalidClient) {
		return Authenticated{}, a.refuse(ctx, c, err)
	}
	return who, err
}

// Reject refuses a request whose credentials are missing (a nil cause) or
// could not be read; of c only what says where they come from and what they may
// cost is looked at. It costs what [Authenticator.Authenticate] costs and
// returns the same kinds of error; the cause must not quote the credentials.
func (a *Authenticator) Reject(ctx context.Context, c Credentials, cause error) error {
	if cause == nil {
		return a.refuse(ctx, c, &Failure{Reason: ReasonMissing})
	}
	return a.refuse(ctx, c, &Failure{Reason: ReasonMalformed, Cause: cause})
}

// refuse spends what a wrong secret costs and returns the failure.
func (a *Authenticator) refuse(ctx context.Context, c Credentials, failure error) error {
	if _, err := a.match(ctx, a.Registry.current.Load().nobody, Credentials{Cheap: c.Cheap, Address: c.Address}); err != nil {
		return err
	}
	return failure
}
