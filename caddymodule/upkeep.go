package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// This file is what the app does in the background as long as it runs, and how
// requests wait for its first results.

// readyTimeout is how long a request waits for the very first key.
const readyTimeout = 10 * time.Second

// ready returns at once when all that is stored was read, and there is a key to
// sign and verify with. Caddy starts apps in no order: before that, HTTP may
// already serve, and its requests wait rather than fail.
func (a *App) ready(ctx context.Context) error {
	if a.complete() == nil {
		return nil
	}
	err := a.await(ctx)
	if err != nil {
		a.logger.Error("not ready to issue or to judge tokens", zap.Error(err))
	}
	return err
}

func (a *App) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	select {
	case <-a.started:
	case <-ctx.Done():
		return fmt.Errorf("waiting for the start: %w", ctx.Err())
	}
	return a.complete()
}

// complete tells what is missing that Start makes.
func (a *App) complete() error {
	if !a.shared.loaded.Load() { // keys alone do not tell which tokens are void
		return errors.New("what is stored has not been read yet")
	}
	if err := a.shared.ring.Ready(); err != nil && a.own != nil {
		return err
	}
	if a.DPoP.Nonce && !a.shared.nonces.Ready() {
		return errors.New("there is no secret of nonces yet")
	}
	return nil
}

// refreshEvery is how often stored keys and clients are looked at for what
// other instances changed and for what is due.
const refreshEvery = 30 * time.Second

// resumeMarks takes over which assertions and proofs were used, as far as that
// is known.
func (a *App) resumeMarks(ctx context.Context) error {
	a.forgetAge = a.shared.horizon.Keep(time.Duration(a.DPoP.MaxAge))
	if a.shared.journal == nil {
		return nil
	}
	if err := a.shared.journal.Resume(ctx, a.longestProof()); err != nil {
		return err
	}
	if since, until := a.shared.journal.Restriction(); !since.IsZero() {
		a.logger.Warn("a run before this one did not stop in order, or another instance runs on this storage: "+
			"client assertions and DPoP proofs made until `since` are refused, and until `until` those that do not say when they were made",
			zap.Time("since", since), zap.Time("until", until))
	}
	return nil
}

// expectMarks tells marks that were lost from the very first start, which has none. It
// must do so before the clients are recorded: from then on it is no first start, for
// other instances either.
func (a *App) expectMarks(ctx context.Context) error {
	if a.shared.remote != nil {
		first := a.own != nil && !a.shared.ledger.Stored()
		return a.shared.remote.resume(ctx, first, a.longestProof())
	}
	if a.shared.ledger.Promises(store.JournalName) {
		a.shared.journal.Expect()
	}
	return nil
}

// startIssuer makes what an issuer of our own needs.
func (a *App) startIssuer(ctx context.Context) error {
	if err := a.expectMarks(ctx); err != nil {
		return err
	}
	if a.own == nil {
		return nil
	}
	a.tellOfFirstKey(ctx)
	// Clients before keys: where there are keys without clients, these were lost.
	if err := a.shared.admit(ctx, a.aliveClients()); err != nil {
		return err
	}
	if err := a.maintainKeys(ctx); err != nil {
		return err
	}
	a.warnOfExpiry(time.Now())
	return nil
}

// every does the work again and again until ctx ends. A panic in it never ends
// the whole server.
func (a *App) every(ctx context.Context, interval time.Duration, work func(context.Context)) {
	guarded := func() {
		defer a.recovered("upkeep")
		work(ctx)
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			guarded()
		}
	}
}

// recovered ends a panic of work in the background.
func (a *App) recovered(work string) {
	if problem := recover(); problem != nil {
		a.logger.Error("work in the background panicked", zap.String("work", work), zap.Any("panic", problem), zap.Stack("stack"))
	}
}

// keepUp keeps keys and clients in step with the clock and the storage.
func (a *App) keepUp(ctx context.Context) {
	var err error
	if a.own != nil {
		err = errors.Join(a.maintainKeys(ctx), a.shared.settle(ctx))
		a.warnOfExpiry(time.Now())
	}
	a.rereadFiles()
	lost, failed := a.shared.load(ctx)
	if err = errors.Join(err, lost, failed, a.shared.affirm(ctx)); err != nil && ctx.Err() == nil {
		metrics.upkeepFailed.Inc()
		if a.shared.away.Load() {
			return // which was said once for the whole outage
		}
		a.logger.Error("what is stored cannot be read or brought up to date; what is known stays in force", zap.Error(err))
	}
	a.keepUsage(ctx)
}

// refreshInterval is short enough that a key is known everywhere long before
// it signs.
func (a *App) refreshInterval() time.Duration {
	return max(min(refreshEvery, time.Duration(a.Signing.PublishAhead)/4), 10*time.Millisecond)
}

func (a *App) maintainKeys(ctx context.Context) error {
	changes, err := a.shared.ring.Maintain(ctx, a.keyConfig())
	if err != nil {
		return fmt.Errorf("maintaining the signing keys: %w", err)
	}
	a.keysChanged(changes)
	return nil
}

func (a *App) keysChanged(changes keys.Changes) {
	a.audit.keysChanged(changes)
	if changes.Signing != "" {
		a.emitKeyRotated(changes.Signing)
	}
}
