package gate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// BridgeKind is a way in which a client's secret may come in place of a token.
type BridgeKind string

// The kinds.
const (
	BridgeBasic  BridgeKind = "basic"   // client_id and secret as user and password, RFC 7617
	BridgeAPIKey BridgeKind = "api_key" // a secret in a header of its own
)

// Bridge lets callers in that cannot ask for tokens yet.
type Bridge struct {
	Kind  BridgeKind
	Until time.Time // from then on there is none; zero: no end
}

// Direct judges credentials that come in place of a token.
type Direct interface {
	// Judge returns what a token of the client for the resource would say. Beside
	// a refusal there are claims where it is known who calls.
	Judge(ctx context.Context, offer *Offer) (*token.Claims, *Refusal)
}

// Offer is what a request brings to a bridge.
type Offer struct {
	Kind     BridgeKind
	Value    string // the Authorization field, or the key
	Address  string // the client's
	Resource string
	Advisory bool // [Config.Advisory]
}

// Refusal says why credentials do not pass.
type Refusal struct {
	Status     int    // 401, 403, 429 or 503; any other one counts as 503
	Reason     Reason // of a bounded set
	RetryAfter time.Duration
	Cause      error // never holds a secret

	// Named is what the log may call the client that the credentials name, which is
	// not proved; empty: none.
	Named string
}

// bridges are those of a gate, by kind.
type bridges map[BridgeKind]Bridge

func (c *Config) bridges() (bridges, error) {
	made := make(bridges, len(c.Bridges))
	for _, bridge := range c.Bridges {
		if bridge.Kind != BridgeBasic && bridge.Kind != BridgeAPIKey {
			return nil, fmt.Errorf("bridge %q: expected basic or api_key", bridge.Kind)
		}
		if _, twice := made[bridge.Kind]; twice {
			return nil, fmt.Errorf("bridge %s stands twice: expected it once", bridge.Kind)
		}
		made[bridge.Kind] = bridge
	}
	if len(made) > 0 && (c.Direct == nil || c.own() == nil) {
		return nil, errors.New("gate: a bridge needs our own issuer")
	}
	return made, nil
}

// own is our own issuer; nil: the gate does not take its tokens.
func (c *Config) own() Issuer {
	for _, issuer := range c.Issuers {
		if !issuer.Foreign() {
			return issuer
		}
	}
	return nil
}

// inForce tells whether the bridge is there at this moment.
func (g *Gate) inForce(kind BridgeKind) bool {
	bridge, found := g.bridges[kind]
	return found && (bridge.Until.IsZero() || g.config.Now().Before(bridge.Until))
}

// offered finds what a request brings to a bridge, where extract has found that
// much: no token, or one, which excludes anything else (RFC 6750 section 2).
// A bridge that has ended is none, but for the reason in the log.
func (g *Gate) offered(r *Request, reason Reason) (*Offer, Reason) {
	if len(g.bridges) == 0 || reason != "" && reason != ReasonNoToken && reason != ReasonScheme {
		return nil, reason
	}
	var offer *Offer
	count, ended := 0, false
	take := func(kind BridgeKind, values []string) {
		switch _, found := g.bridges[kind]; {
		case !found || len(values) == 0:
		case !g.inForce(kind):
			ended = true
		default:
			count += len(values)
			offer = &Offer{Kind: kind, Value: values[0], Address: r.Address, Resource: g.config.Resource, Advisory: g.config.Advisory}
		}
	}
	if len(r.Authorization) == 1 && isBasic(r.Authorization[0]) {
		take(BridgeBasic, r.Authorization)
	}
	take(BridgeAPIKey, r.Keys)
	switch {
	case count > 1 || count == 1 && reason == "": // whom an upstream would take it for is anybody's guess
		return nil, ReasonMixed
	case count == 1:
		return offer, reason
	case ended && reason != "":
		return nil, ReasonBridgeEnded
	}
	return nil, reason
}

func isBasic(field string) bool {
	scheme, _, _ := strings.Cut(field, " ")
	return strings.EqualFold(scheme, "Basic") // RFC 9110 section 11.1
}

// cross judges what is brought to a bridge. It is judged before the rules, as a
// token is.
func (g *Gate) cross(ctx context.Context, offer *Offer, verdict *Verdict) {
	verdict.Bridge, verdict.Sunset = offer.Kind, g.bridges[offer.Kind].Until
	claims, refusal := g.config.Direct.Judge(ctx, offer)
	verdict.Signed = claims
	if refusal == nil && claims == nil {
		refusal = &Refusal{Reason: ReasonNotReady} // nobody said who it is
	}
	if refusal == nil {
		verdict.Claims = claims
		g.authorize(claims, g.config.own(), verdict)
		return
	}
	verdict.Reason, verdict.Err, verdict.RetryAfter, verdict.Named = refusal.Reason, refusal.Cause, refusal.RetryAfter, refusal.Named
	switch refusal.Status {
	case http.StatusUnauthorized:
		verdict.outcome = badCredentials
	case http.StatusForbidden:
		verdict.outcome = forbidden
	case http.StatusTooManyRequests:
		verdict.outcome = tooMany
	default:
		verdict.outcome = unavailable
	}
}
