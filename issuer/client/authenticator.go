package client

import (
	"context"
	"fmt"
	"time"
)

// Authenticator finds out which client a request comes from. It is safe for
// concurrent use.
//
// Every failed attempt costs the same, whatever the reason: of each class of
// slow hashes, as many as the client with the most has. A right secret is cheaper.
type Authenticator struct {
	registry *Registry
	memory   *Memory
	queue    *Queue
	now      func() time.Time
	compute  func(h *hash, text string) bool // the slow computation; tests count
}

// NewAuthenticator returns an authenticator of the registry's clients. Memory
// and queue are the process's own and outlive it. Time is taken from now.
func NewAuthenticator(registry *Registry, memory *Memory, queue *Queue, now func() time.Time) *Authenticator {
	return &Authenticator{registry: registry, memory: memory, queue: queue, now: now, compute: (*hash).compute}
}

// Authenticate returns the client whose secret is presented. The error is a
// [*Failure] where the credentials are not good, [ErrBusy] where too many wait
// for a slow hash, or the context's.
func (a *Authenticator) Authenticate(ctx context.Context, c Credentials) (Authenticated, error) {
	tried, barred := a.account(c)
	secret, err := a.match(ctx, tried, c.Secret)
	switch {
	case err != nil:
		return Authenticated{}, err
	case barred != "":
		return Authenticated{}, &Failure{Reason: barred}
	case secret == nil:
		return Authenticated{}, &Failure{Reason: ReasonWrongSecret}
	case !secret.live(a.now()):
		return Authenticated{}, &Failure{Reason: ReasonExpiredSecret}
	}
	return Authenticated{client: &tried.client, secretID: secret.ID, method: c.Method}, nil
}

// Reject refuses a request whose credentials are missing (a nil cause) or
// could not be read. It costs what [Authenticator.Authenticate] costs and
// returns the same kinds of error; the cause must not quote the credentials.
func (a *Authenticator) Reject(ctx context.Context, cause error) error {
	if _, err := a.match(ctx, a.registry.nobody, ""); err != nil {
		return err
	}
	if cause == nil {
		return &Failure{Reason: ReasonMissing}
	}
	return &Failure{Reason: ReasonMalformed, Cause: cause}
}

// account returns the account that credentials are for. Where no secret can
// let them in, it returns the reason, and nobody's account to spend the cost on.
func (a *Authenticator) account(c Credentials) (*account, Reason) {
	named, known := a.registry.accounts[c.ClientID]
	var barred Reason
	switch {
	case c.Method != SecretBasic && c.Method != SecretPost:
		barred = ReasonMalformed
	case !known:
		barred = ReasonUnknownClient
	case named.client.Disabled:
		barred = ReasonDisabled
	case len(named.client.Secrets) == 0:
		barred = ReasonNoSecret
	case c.Secret == "": // even where somebody configured the hash of nothing
		barred = ReasonWrongSecret
	default:
		return named, ""
	}
	return a.registry.nobody, barred
}

// match returns the secret that is presented, nil where there is none. It
// stops early at one that has not expired, and else goes through all
// candidates. An expired one is returned only then.
func (a *Authenticator) match(ctx context.Context, tried *account, presented string) (*Secret, error) {
	var expired *Secret
	digested := digestsOf(presented)
	for _, secret := range tried.candidates.fast {
		if !secret.hash.matchesFast(digested) {
			continue
		}
		if secret.live(a.now()) {
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
	secret, err := a.matchSlow(ctx, tried, presented)
	if err == nil && secret == nil {
		return expired, nil
	}
	return secret, err
}

// matchSlow does the same with the slow candidates, in one turn of the queue.
func (a *Authenticator) matchSlow(ctx context.Context, tried *account, presented string) (*Secret, error) {
	if err := a.queue.enter(ctx); err != nil {
		return nil, err
	}
	defer a.queue.leave()
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
		if secret.live(a.now()) {
			a.memory.remember(tried.client.ID, secret, presented)
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
		if a.memory.has(tried.client.ID, secret, presented) && secret.live(a.now()) {
			return secret
		}
	}
	return nil
}
