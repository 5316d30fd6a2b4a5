package gate

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Config is what a [Gate] decides by. Fields without a default are needed.
type Config struct {
	Issuers  []Issuer     // whose tokens pass; one at least
	Resource string       // for whom they must be: one of the `aud`
	Declared token.Scopes // the scopes that exist at the resource, for its metadata
	Scopes   token.Scopes // what every request needs; default nothing
	Rules    []Rule       // default none: every request needs a valid token
	Realm    string       // of the challenges; default: Resource

	// AllowClients and AllowClientsOf are the client_ids that may pass: those of
	// our own issuer, and those of others by their urls. Where one of the two
	// stands, nobody passes whom neither names. Default: every client.
	AllowClients   []string
	AllowClientsOf map[string][]string

	// BearerMethods are the ways in which a token may be sent. Default: the header.
	BearerMethods []BearerMethod

	// Bridges let clients in that bring a secret in place of a token, which Direct
	// judges. Default: none.
	Bridges []Bridge
	Direct  Direct

	// Advisory says that requests pass whatever the verdict is.
	Advisory bool

	// CertificateBound is asked for each reader of the resource's metadata whether some
	// tokens are bound to certificates. Default: none is.
	CertificateBound func() bool

	// ExternalURL is scheme and authority of the urls that clients see, for the
	// `htu` of proofs. Default: those of the request.
	ExternalURL string

	Proofs Proofs
	Cache  *Cache           // shared by the gates of one configuration
	Now    func() time.Time // default: time.Now
}

// Keys finds the public keys of the issuer. *keys.Ring does.
type Keys interface {
	token.Keys
	// Generation changes whenever a key came or went.
	Generation() uint64
}

// Clients knows whether the client of a token may still use it.
type Clients interface {
	// CheckToken returns nil, or a *token.Error: the client is unknown,
	// disabled, was disabled since, or no longer has what the token carries.
	CheckToken(claims *token.Claims) error
	// Generation changes whenever an earlier CheckToken could answer
	// differently; no two values of this interface ever share one.
	Generation() uint64
}

// Proofs judges DPoP proofs. *proof.Checker does.
type Proofs interface {
	// Check judges the DPoP fields of a request. The error is a *proof.Error, or
	// another one where it cannot be told whether the proof was used before.
	Check(ctx context.Context, fields []string, want *proof.Request) (proof.Proven, error)
	// NewNonce is the nonce for a client that needs one.
	NewNonce() string
}

// Gate judges requests for one resource. It is safe for concurrent use.
type Gate struct {
	config    Config
	rules     atomic.Pointer[Rules]
	allowed   map[caller]struct{} // nil: every client
	bridges   bridges
	challenge challenges
	metadata  *Metadata
	header    bool     // tokens are looked for in the header
	audience  []string // of tokens that are for the resource alone
}

// caller is a client of an issuer; that of our own has no name.
type caller struct{ foreign, clientID string }

// New makes a gate. The error names the rule or field that is wrong.
func New(config Config) (*Gate, error) {
	if len(config.Issuers) == 0 || config.Resource == "" || config.Proofs == nil || config.Cache == nil {
		return nil, errors.New("gate: issuers, resource, proofs and cache are needed")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Realm == "" {
		config.Realm = config.Resource
	}
	if len(config.BearerMethods) == 0 {
		config.BearerMethods = []BearerMethod{BearerHeader}
	}
	rules, err := NewRules(config.Rules)
	if err != nil {
		return nil, err
	}
	metadata, err := NewMetadata(config)
	if err != nil {
		return nil, err
	}
	bridges, err := config.bridges()
	if err != nil {
		return nil, err
	}
	gate := &Gate{
		config: config, allowed: config.allowed(), bridges: bridges,
		metadata: metadata, challenge: newChallenges(config.Realm, metadata.URL()),
		header:   slices.Contains(config.BearerMethods, BearerHeader),
		audience: []string{config.Resource},
	}
	gate.rules.Store(rules)
	for _, issuer := range config.Issuers {
		if own, ours := issuer.(*Own); ours {
			own.gated.Store(true)
		}
	}
	return gate, nil
}

// SetRules puts other rules in force, for requests that come after it. The
// error is that of [NewRules]; then the former rules stay.
func (g *Gate) SetRules(rules []Rule) error {
	prepared, err := NewRules(rules)
	if err == nil {
		g.rules.Store(prepared)
	}
	return err
}

// allowed is the set of those who may pass; nil: everyone.
func (c *Config) allowed() map[caller]struct{} {
	if len(c.AllowClients) == 0 && len(c.AllowClientsOf) == 0 {
		return nil
	}
	set := make(map[caller]struct{})
	for _, id := range c.AllowClients {
		set[caller{clientID: id}] = struct{}{}
	}
	for issuer, ids := range c.AllowClientsOf {
		for _, id := range ids {
			set[caller{foreign: issuer, clientID: id}] = struct{}{}
		}
	}
	return set
}

// Metadata is the resource's metadata document.
func (g *Gate) Metadata() *Metadata { return g.metadata }

// NamesMethod tells whether a rule names a method: then headers that override
// the method must not reach the upstream.
func (g *Gate) NamesMethod() bool { return g.rules.Load().NamesMethod() }

// Check judges a request.
func (g *Gate) Check(ctx context.Context, r *Request) Verdict {
	var rule *Rule
	rules := g.rules.Load()
	if rules.Len() > 0 {
		if err := CheckPath(r.EscapedPath, r.Path); err != nil {
			return deny(badRequest, ReasonPath, err)
		}
		rule, _ = rules.Match(r.Method, r.Path)
	}
	scheme, raw, reason := g.extract(r)
	offer, reason := g.offered(r, reason)
	verdict := Verdict{Rule: rule, Uncovered: rule == nil && rules.Len() > 0, Reason: reason, scheme: scheme}
	switch {
	case offer != nil:
		g.cross(ctx, offer, &verdict)
	case reason == "":
		g.hold(ctx, raw, r, &verdict)
	case reason == ReasonNoToken, reason == ReasonScheme, reason == ReasonBridgeEnded:
		verdict.outcome = noToken
		if rule != nil && rule.Public {
			verdict.Allowed, verdict.Reason = true, ReasonPublic
		}
	default:
		verdict.outcome = badRequest
	}
	return verdict
}

// hold judges a token. It is judged before the rules, so that a bad one learns
// nothing of which paths there are.
func (g *Gate) hold(ctx context.Context, raw string, r *Request, verdict *Verdict) {
	known, fresh, err := g.verify(ctx, raw)
	verdict.Fresh = fresh
	if known != nil {
		verdict.Signed = &known.claims
	}
	if err == nil {
		err = g.constrain(ctx, &known.claims, raw, r, verdict)
	}
	if err != nil {
		g.refuse(verdict, err)
		return
	}
	verdict.Claims = &known.claims
	g.authorize(&known.claims, known.issuer, verdict)
}

// authorize holds a valid token, or what stands for one, against what the request needs.
func (g *Gate) authorize(claims *token.Claims, issuer Issuer, verdict *Verdict) {
	rule := verdict.Rule
	switch {
	case rule != nil && rule.Public:
		verdict.Allowed, verdict.Reason = true, ReasonPublic
	case !g.allows(issuer, claims.ClientID):
		verdict.outcome, verdict.Reason = forbidden, ReasonClient
	case verdict.Uncovered:
		verdict.outcome, verdict.Reason = forbidden, ReasonNoRule
	case !claims.Scope.HasAll(g.config.Scopes) || rule != nil && !rule.satisfied(claims.Scope):
		verdict.outcome, verdict.Reason, verdict.Needed = lacksScope, ReasonScope, g.needed(rule, claims.Scope)
	case verdict.Bridge != "":
		verdict.Allowed, verdict.Reason = true, ReasonBridge
	default:
		verdict.Allowed, verdict.Reason = true, ReasonToken
	}
}

func (g *Gate) allows(issuer Issuer, clientID string) bool {
	if issuer.Foreign() {
		return g.AllowsClient(issuer.URL(), clientID)
	}
	return g.AllowsClient("", clientID)
}

// needed lists all that a request needs, for the challenge (RFC 6750 section 3).
func (g *Gate) needed(rule *Rule, has token.Scopes) token.Scopes {
	if rule == nil {
		return slices.Clone(g.config.Scopes)
	}
	return rule.needed(g.config.Scopes, has)
}
