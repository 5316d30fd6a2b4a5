package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
)

func init() { caddy.RegisterModule(new(App)) }

// App is the authorization server's configuration and state: clients, keys and
// what tokens look like. The handlers `oauth2_issuer` and `oauth2_gate` serve it.
type App struct {
	// The issuer identifier, exactly as it stands in `iss`: an https url
	// without query, fragment or user info; http on loopback. Needed where an
	// `oauth2_issuer` or a gate for tokens of our own stands.
	Issuer string `json:"issuer,omitempty"`

	// How long access tokens live, at least a second. Default: `1h`.
	TokenLifetime caddy.Duration `json:"token_lifetime,omitempty"`

	// With what tokens are signed and when keys change.
	Signing Signing `json:"signing,omitzero"`

	// Scope values that mean "all I am granted", such as
	// `urn:opc:idm:__myscopes__`. Default: none.
	ScopeAliases []string `json:"scope_aliases,omitempty"`

	// The protected APIs. Default: one, whose identifier is the issuer url.
	Resources []Resource `json:"resources,omitempty"`

	// Named bundles of scopes.
	Roles []Role `json:"roles,omitempty"`

	// The clients that may ask for tokens.
	Clients []Client `json:"clients,omitempty"`

	// Bounds of what strangers may try.
	Limits Limits `json:"limits,omitzero"`

	logger   *zap.Logger
	audit    *auditor
	lease    *lease
	shared   *shared
	standing *client.Standing
	cache    *gate.Cache
	server   *issuer.Server

	started chan struct{} // closed by Start
	stop    context.CancelFunc
	stopped sync.WaitGroup
}

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "oauth2", New: func() caddy.Module { return new(App) }}
}

// Provision judges the configuration and reads what is stored. It makes and
// writes nothing: `caddy validate` ends here.
func (a *App) Provision(ctx caddy.Context) error {
	a.logger = ctx.Logger()
	a.audit = &auditor{logger: a.logger.Named("audit")}
	a.started = make(chan struct{})
	if err := metrics.register(ctx.GetMetricsRegistry()); err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	if err := a.resolve(caddy.NewReplacer()); err != nil {
		return err
	}
	a.setDefaults()
	if err := a.check(); err != nil {
		return err
	}
	if a.Issuer == "" {
		return nil // handlers that need it say so
	}
	return a.provisionIssuer(ctx)
}

func (a *App) provisionIssuer(ctx caddy.Context) error {
	acquired, err := acquire(ctx.Storage(), a.Issuer)
	if err != nil {
		return err
	}
	a.lease, a.shared = acquired, acquired.state
	if err := a.shared.load(ctx); err != nil {
		return err
	}
	registry, err := a.registry()
	if err != nil {
		return err
	}
	if err := a.watchStart(ctx); err != nil {
		return err
	}
	a.standing = client.NewStanding(registry, a.shared.ledger, a.shared.revoked)
	a.cache = gate.NewCache()
	a.server, err = issuer.New(a.issuerConfig(registry))
	return err
}

// Start makes what is missing and records which clients there are, under the
// storage's lock, and goes on keeping the keys in order until Stop.
func (a *App) Start() error {
	defer close(a.started)
	if a.shared == nil {
		return nil
	}
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	if err := a.maintainKeys(ctx); err != nil {
		return err
	}
	if err := a.shared.settle(ctx); err != nil {
		return err
	}
	if err := a.shared.ledger.Admit(ctx, a.aliveClients()); err != nil {
		return fmt.Errorf("recording the clients: %w", err)
	}
	a.stopped.Go(func() { a.keepUp(ctx) })
	return nil
}

// Stop ends what Start began. Requests in flight go on.
func (a *App) Stop() error {
	if a.stop != nil {
		a.stop()
		a.stopped.Wait()
	}
	return nil
}

// Cleanup gives the shared state back. It runs also where Provision failed.
func (a *App) Cleanup() error {
	err := a.lease.release()
	a.lease = nil
	return err
}

// readyTimeout is how long a request waits for the very first key.
const readyTimeout = 10 * time.Second

// ready returns at once when there is a key to sign and verify with. Caddy
// starts apps in no order: before the very first key is made, HTTP may already
// serve, and its requests wait rather than fail.
func (a *App) ready(ctx context.Context) error {
	if _, err := a.shared.ring.Signer(); err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	select {
	case <-a.started:
	case <-ctx.Done():
		return fmt.Errorf("waiting for the first key: %w", ctx.Err())
	}
	_, err := a.shared.ring.Signer()
	return err
}

// refreshEvery is how often stored keys and clients are looked at for what
// other instances changed and for what is due.
const refreshEvery = 30 * time.Second

// keepUp keeps keys and clients in step with the clock and the storage.
func (a *App) keepUp(ctx context.Context) {
	ticker := time.NewTicker(a.refreshInterval())
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			a.keepUpOnce(ctx)
		}
	}
}

// keepUpOnce never lets a panic end the whole server.
func (a *App) keepUpOnce(ctx context.Context) {
	defer func() {
		if problem := recover(); problem != nil {
			a.logger.Error("keeping keys and clients up to date panicked", zap.Any("panic", problem), zap.Stack("stack"))
		}
	}()
	if err := errors.Join(a.maintainKeys(ctx), a.shared.settle(ctx), a.shared.load(ctx)); err != nil && ctx.Err() == nil {
		a.logger.Error("what is stored cannot be read or brought up to date; what is known stays in force", zap.Error(err))
	}
}

// refreshInterval is short enough that a key is known everywhere long before
// it signs.
func (a *App) refreshInterval() time.Duration {
	return max(min(refreshEvery, time.Duration(a.Signing.PublishAhead)/4), 10*time.Millisecond)
}

func (a *App) maintainKeys(ctx context.Context) error {
	changes, err := a.shared.ring.Maintain(ctx, keys.Config{
		Algorithm:       a.algorithm(),
		RotateEvery:     a.rotateEvery(),
		PublishAhead:    time.Duration(a.Signing.PublishAhead),
		LongestLifetime: a.longestLifetime(),
	})
	if err != nil {
		return fmt.Errorf("maintaining the signing keys: %w", err)
	}
	for _, id := range changes.Made {
		a.audit.logger.Info("signing key made", zap.String("kid", id))
	}
	if changes.Signing != "" {
		a.audit.logger.Info("signing key in use", zap.String("kid", changes.Signing))
	}
	for _, id := range changes.Forgotten {
		a.audit.logger.Info("signing key forgotten", zap.String("kid", id))
	}
	return nil
}

// appOf finds the app of the configuration that a handler belongs to.
func appOf(ctx caddy.Context) (*App, error) {
	module, err := ctx.AppIfConfigured("oauth2")
	if errors.Is(err, caddy.ErrNotConfigured) {
		return nil, errors.New("the global option `oauth2` is missing")
	}
	if err != nil {
		return nil, err
	}
	return module.(*App), nil
}

// Interface guards.
var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
