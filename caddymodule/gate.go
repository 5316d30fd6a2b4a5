package caddymodule

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

func init() { caddy.RegisterModule(new(Gate)) }

// Gate is the handler in front of a protected API: it passes a request on only
// with a valid access token that grants what the request needs (RFC 6750).
type Gate struct {
	// The resource that tokens must be meant for, compared with `aud` byte for
	// byte. Default: the only one that the app has; needed when it has several.
	Resource string `json:"resource,omitempty"`

	// Scopes that every request needs, all of them. Default: none.
	Scopes []string `json:"scopes,omitempty"`

	// What single methods and paths need. With one rule or more, a request that
	// no rule covers is refused. Default: none; every request needs a token.
	Rules []Rule `json:"rules,omitempty"`

	// The path of an OpenAPI 3.0 or 3.1 document (JSON or YAML): what its
	// operations need become rules behind those above, which win. It is read again
	// when it changes. Default: none.
	OpenAPI string `json:"openapi,omitempty"`

	// The client_ids of our own issuer that may pass. Default: every client; none
	// where `allow_clients_of` stands.
	AllowClients []string `json:"allow_clients,omitempty"`

	// The clients of trusted issuers that may pass, by the issuer's url. Default:
	// every client; none where `allow_clients` stands.
	AllowClientsOf map[string][]string `json:"allow_clients_of,omitempty"`

	// Whose tokens may pass: `self`, our own issuer, and urls of trusted issuers.
	// Default: `self`.
	Issuers []string `json:"issuers,omitempty"`

	// The ways in which a token may be sent (RFC 6750 section 2): `header`, `body`
	// (in a form) and `query`. Default: `header`.
	BearerMethods []string `json:"bearer_methods,omitempty"`

	// Bridges for callers that cannot ask for tokens yet: each lets clients with
	// `allow_bridge` in by a secret, one of each kind at most. Default: none.
	Bridges []Bridge `json:"bridges,omitempty"`

	// Lets the Authorization header reach the upstream. Default: false.
	ForwardToken bool `json:"forward_token,omitempty"`

	// The request headers that tell the upstream who calls.
	IdentityHeaders IdentityHeaders `json:"identity_headers,omitzero"`

	// Scheme and authority of the urls that clients see, such as
	// `https://api.example.com`: a DPoP proof must be for such a url. Default:
	// those of the request as Caddy sees it.
	ExternalURL string `json:"external_url,omitempty"`

	// Judges every request, logs and counts what would be refused, and refuses
	// nothing. Default: false.
	ReportOnly bool `json:"report_only,omitempty"`

	// The realm in challenges (RFC 9110 section 11.5). Default: the resource.
	Realm string `json:"realm,omitempty"`

	// Answers at the well-known url of the resource's metadata (RFC 9728) and
	// passes every other request on without looking at it. The Caddyfile adds
	// such a handler beside a gate that has a matcher. Default: false.
	MetadataOnly bool `json:"metadata_only,omitempty"`

	app     *App
	gate    *gate.Gate
	headers *headerPolicy
	logger  *zap.Logger

	// explain hears of each verdict, where somebody asks why; else it is nil.
	explain func(*http.Request, gate.Request, gate.Verdict)
}

// CaddyModule returns the Caddy module information.
func (*Gate) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.oauth2_gate", New: func() caddy.Module { return new(Gate) }}
}

// Provision judges the configuration and makes the gate.
func (g *Gate) Provision(ctx caddy.Context) error {
	app, err := appOf(ctx)
	if err != nil {
		return fmt.Errorf("oauth2_gate: %w", err)
	}
	if err := g.resolve(caddy.NewReplacer(), app); err != nil {
		return err
	}
	if err := g.check(app); err != nil {
		return err
	}
	g.app, g.logger = app, ctx.Logger()
	config := g.config(app)
	g.gate, err = gate.New(config)
	if err != nil {
		return fmt.Errorf("oauth2_gate: %w", err)
	}
	if err := g.followDocument(app, config.Rules); err != nil {
		return err
	}
	g.warnOfBridges(g.logger)
	// Each operation of a document names its method.
	g.headers = newHeaderPolicy(g, g.OpenAPI != "" || g.gate.NamesMethod())
	return nil
}

// ServeHTTP passes the request on, or says why not.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if metadata := g.gate.Metadata(); asksFor(metadata, r) {
		return serveMetadata(w, r, metadata)
	}
	if g.MetadataOnly {
		return next.ServeHTTP(w, r)
	}
	start := time.Now()
	variables := variablesOf(r)
	earlier := callerIn(variables)
	given := gateRequest(r, variables, earlier)
	facts := &given // on the stack, as the verdict is: nothing below may keep them
	g.takeKeys(r, facts)
	g.headers.scrub(r)
	judged := g.judge(r, facts)
	verdict := &judged
	if g.explain != nil {
		g.explain(r, given, judged)
	}
	took := time.Since(start)
	metrics.verdict(verdict, g.ReportOnly, took.Seconds())
	g.hold(r, verdict, start, took)
	if verdict.Nonce != "" {
		w.Header().Set("DPoP-Nonce", verdict.Nonce) // RFC 9449 section 9
	}
	if verdict.Allowed {
		traceVerdict(r.Context(), g, verdict, "")
	} else if id := g.record(r, facts, verdict); !g.ReportOnly {
		return g.deny(w, r, verdict, id)
	}
	g.introduce(w, r, facts, verdict)
	left := &passage{caller: newCaller(facts, verdict)}
	g.headers.identify(r.Header, verdict.Claims, &left.identity)
	setUser(r, variables, earlier, &left.caller)
	err := next.ServeHTTP(w, r)
	if err != nil && len(facts.Query)+len(facts.Keys) > 0 {
		return g.failed(w, r, slices.Concat(facts.Query, facts.Keys), err)
	}
	return err
}

// hold keeps a flood from others. A gate that only reports is not felt.
func (g *Gate) hold(r *http.Request, verdict *gate.Verdict, start time.Time, took time.Duration) {
	if g.ReportOnly {
		return
	}
	if delay := g.app.pace.Delay(start, verdict, took); delay > 0 {
		metrics.held.Inc()
		gate.Hold(r.Context(), delay)
	}
}

// passage is what a gate leaves with a request that passes: in one piece, since
// each costs an allocation.
type passage struct {
	caller   caller
	identity identity
}

// introduce tells the caller and caches what they must know of the way in which
// the caller shows who it is.
func (g *Gate) introduce(w http.ResponseWriter, r *http.Request, facts *gate.Request, verdict *gate.Verdict) {
	if verdict.Allowed && verdict.Bridge != "" {
		g.deprecate(w, r, facts, verdict)
	}
	if len(facts.Query) > 0 { // RFC 6750 section 2.3: no shared cache may keep the answer
		w.Header().Set("Cache-Control", "private")
	}
}

// judge asks the gate, as soon as there is a key to verify tokens with.
func (g *Gate) judge(r *http.Request, facts *gate.Request) gate.Verdict {
	if err := g.takeTokens(r, facts); err != nil {
		return gate.Unreadable(err)
	}
	if err := g.app.ready(r.Context()); err != nil {
		return gate.NotReady(err)
	}
	return g.gate.Check(r.Context(), facts)
}

// Interface guards.
var (
	_ caddy.Provisioner           = (*Gate)(nil)
	_ caddyhttp.MiddlewareHandler = (*Gate)(nil)
)
