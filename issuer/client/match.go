package client

import (
	"context"
	"fmt"
)

// secret judges a client_id and a secret (RFC 6749 section 2.3.1).
func (a *Authenticator) secret(ctx context.Context, c Credentials) (Authenticated, error) {
	tried, barred := a.account(c)
	secret, err := a.match(ctx, tried, c)
	switch {
	case err != nil:
		return Authenticated{}, err
	case barred != "":
		return Authenticated{}, &Failure{Reason: barred}
	case secret == nil:
		return Authenticated{}, &Failure{Reason: ReasonWrongSecret}
	case !secret.live(a.Now()):
		return Authenticated{}, &Failure{Reason: ReasonExpiredSecret}
	}
	return Authenticated{client: tried.client, secretID: secret.ID, method: c.Method}, nil
}

// account returns the account that credentials are for. Where no secret can
// let them in, it returns the reason, and nobody's account to spend the cost on.
func (a *Authenticator) account(c Credentials) (*account, Reason) {
	named, known := a.Registry.account(c.ClientID)
	var barred Reason
	switch {
	case !known:
		barred = ReasonUnknownClient
	case named.client.Disabled:
		barred = ReasonDisabled
	case c.Method == BridgeBasic && !named.client.AllowBridge:
		barred = ReasonNoBridge
	case len(named.client.Secrets) == 0:
		barred = ReasonNoSecret
	case c.Secret == "": // even where somebody configured the hash of nothing
		barred = ReasonWrongSecret
	default:
		return named, ""
	}
	return a.Registry.current.Load().nobody, barred
}

// match returns the secret that is presented, nil where there is none. It
// stops early at one that has not expired, and else goes through all
// candidates. An expired one is returned only then.
func (a *Authenticator) match(ctx context.Context, tried *account, c Credentials) (*Secret, error) {
	presented := c.Secret
	var expired *Secret
	digested := digestsOf(presented)
	for _, secret := range tried.candidates.fast {
		if !secret.hash.matchesFast(digested) {
			continue
		}
		if secret.live(a.Now()) {
			return secret, nil
		}
		expired = secret
	}
	if len(tried.candidates.slow) == 0 {
		return expired, nil
	}
	if secret := a.recall(tried, presented); secret != nil {
		return secret, nil
	}
	if c.Cheap {
		return nil, ErrCostly
	}
	secret, err := a.matchSlow(ctx, tried, c)
	if err == nil && secret == nil {
		return expired, nil
	}
	return secret, err
}

// matchSlow does the same with the slow candidates, in one turn of the queue.
func (a *Authenticator) matchSlow(ctx context.Context, tried *account, c Credentials) (*Secret, error) {
	presented := c.Secret
	turn, err := a.Queue.enter(ctx, tried.candidates.lanes, c.Address)
	if err != nil {
		return nil, err
	}
	defer turn.leave()
	// Another request of the client may have done the work meanwhile: a fleet
	// that starts at once costs one computation and not one each.
	if secret := a.recall(tried, presented); secret != nil {
		return secret, nil
	}
	var expired *Secret
	for _, secret := range tried.candidates.slow {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("authenticating a client: %w", err)
		}
		if !secret.hash.matchesSlow(presented, a.compute) {
			continue
		}
		if secret.live(a.Now()) {
			a.Memory.remember(tried.client.ID, secret, presented)
			return secret, nil
		}
		expired = secret
	}
	return expired, nil
}

// recall returns a secret that has not expired and that the memory knows the
// presented text to be. Dummies are asked for too, since that takes time.
func (a *Authenticator) recall(tried *account, presented string) *Secret {
	for _, secret := range tried.candidates.slow {
		if a.Memory.has(tried.client.ID, secret, presented) && secret.live(a.Now()) {
			return secret
		}
	}
	return nil
}
