package caddymodule

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
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
	TokenLifetime Duration `json:"token_lifetime,omitempty"`

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

	// For whom a client assertion may be meant besides the issuer url: with
	// `endpoint`, the url of a token endpoint too. Default: `issuer`, for nobody.
	AssertionAudience string `json:"assertion_audience,omitempty"`

	// What is asked of DPoP proofs (RFC 9449).
	DPoP DPoP `json:"dpop,omitzero"`

	// Other authorization servers whose tokens a gate may take.
	TrustedIssuers []TrustedIssuer `json:"trusted_issuers,omitempty"`

	// Bounds of what strangers may try.
	Limits Limits `json:"limits,omitzero"`

	// Where the state is kept: a module in the namespace `oauth2.stores`. Default:
	// `storage`, Caddy's own.
	StoreRaw json.RawMessage `json:"store,omitempty" caddy:"namespace=oauth2.stores inline_key=module"`

	logger   *zap.Logger
	audit    *auditor
	store    keeper
	unused   store.Documents // in Caddy's storage, where the state is kept elsewhere; nil: it is there
	events   *emitter        // nil: there is no issuer of our own
	lease    *lease
	sites    func() *sites // where gates stand; nil before Provision
	shared   *shared
	standing *client.Standing
	clients  *client.Registry         // nil: there is no issuer of our own
	runtime  *runtimeClients          // those of them that the directory has; nil: not followed
	own      *gate.Own                // nil: there is no issuer of our own
	trusted  map[string]*gate.Trusted // by url
	cache    *gate.Cache
	pace     *gate.Pace // of the process; nil: gates hold nobody up
	proofs   *proof.Checker
	server   *issuer.Server
	files    []*watchedFile
	reading  sync.Mutex   // one look at the files at a time
	unusable atomic.Int32 // files whose present content cannot be used
	leased   []string     // keys in the pool
	expected uint32       // [client.Registry.Version] whose secrets are tracked

	forgetAge func(time.Time) // ends what Start said of the age of proofs; nil: it said nothing

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
	a.sites = sync.OnceValue(func() *sites { return findSites(ctx) })
	if err := metrics.register(ctx.GetMetricsRegistry()); err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	if err := a.provision(ctx); err != nil {
		return err
	}
	// The registry may be looked at already: only now is there anything to see.
	if err := ctx.GetMetricsRegistry().Register(&stateMetrics{a}); err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	return nil
}

func (a *App) provision(ctx caddy.Context) error {
	defer a.forgetSecrets()
	if err := a.resolve(caddy.NewReplacer()); err != nil {
		return err
	}
	a.setDefaults()
	if err := a.check(); err != nil {
		return err
	}
	if a.Issuer == "" && len(a.TrustedIssuers) == 0 {
		return nil // handlers that need one say so
	}
	if err := a.provisionShared(ctx); err != nil {
		return err
	}
	if err := a.trustOthers(); err != nil || a.Issuer == "" {
		return err
	}
	return a.provisionIssuer(ctx)
}

// provisionShared takes what gates need, whoever issues the tokens.
func (a *App) provisionShared(ctx caddy.Context) error {
	if err := a.provisionStore(ctx); err != nil {
		return err
	}
	acquired, err := acquire(a.store, a.Issuer)
	if err != nil {
		return err
	}
	a.lease, a.shared = acquired, acquired.state
	if err := a.lookAtStore(ctx); err != nil {
		return err
	}
	a.cache = gate.NewCache()
	a.pace = pace()
	a.proofs, err = proof.NewChecker(a.proofConfig())
	return err
}

func (a *App) provisionIssuer(ctx caddy.Context) error {
	registry, err := a.registry()
	if err != nil {
		return err
	}
	a.clients = registry
	a.followDirectory(registry)
	a.warnOfCost(registry)
	if err := a.watchStart(ctx); err != nil {
		return err
	}
	a.standing = client.NewStanding(registry, a.shared.ledger, a.shared.revoked)
	a.own = gate.NewOwn(a.Issuer, a.shared.ring, a.standing)
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
	if err := a.reachStore(ctx); err != nil {
		return err
	}
	if err := a.startIssuer(ctx); err != nil {
		return err
	}
	if err := a.resumeMarks(ctx); err != nil {
		return err
	}
	a.startUsage(ctx)
	if a.DPoP.Nonce {
		if err := a.shared.nonces.Make(ctx, a.shared.documents); err != nil {
			return err
		}
	}
	a.stopped.Go(func() { a.every(ctx, a.refreshInterval(), a.keepUp) })
	if a.shared.remote != nil {
		a.stopped.Go(func() { a.watchStore(ctx) })
	}
	if len(a.files) > 0 {
		a.stopped.Go(func() { a.every(ctx, watchEvery, func(context.Context) { a.reloadFiles() }) })
	}
	return nil
}

// Stop ends what Start began. Requests in flight go on.
func (a *App) Stop() error {
	if a.stop != nil {
		a.stop()
		a.stopped.Wait()
	}
	a.events.end()
	a.audit.withheld(a.audit.flood.take())
	return nil
}

// Cleanup gives the shared state back. It runs also where Provision failed.
func (a *App) Cleanup() error {
	a.runtime.end()
	a.releaseKeys()
	if a.forgetAge != nil {
		a.forgetAge(time.Now())
		a.forgetAge = nil
	}
	err := a.lease.release()
	a.lease = nil
	return err
}

// Interface guards.
var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
