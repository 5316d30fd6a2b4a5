package caddymodule

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/report"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// direct judges what is brought to a bridge; nil where there is no issuer.
func (a *App) direct() gate.Direct {
	if a.server == nil {
		return nil
	}
	return direct{a.server}
}

// bridgeClients is [client.Registry.BridgeClients].
func (a *App) bridgeClients() (count int, without []string) {
	if a.clients == nil {
		return 0, nil
	}
	return a.clients.BridgeClients()
}

// direct asks our own issuer on behalf of a gate, which must not know it.
type direct struct{ server *issuer.Server }

// Judge implements [gate.Direct].
func (d direct) Judge(ctx context.Context, offer *gate.Offer) (*token.Claims, *gate.Refusal) {
	asked := &issuer.Direct{Address: offer.Address, Resource: offer.Resource, Advisory: offer.Advisory}
	if offer.Kind == gate.BridgeBasic {
		asked.Method, asked.Authorization = client.BridgeBasic, offer.Value
	} else {
		asked.Method, asked.Key = client.BridgeAPIKey, offer.Value
	}
	claims, named, refusal := d.server.Direct(ctx, asked)
	if refusal == nil {
		return claims, nil
	}
	return claims, &gate.Refusal{
		Status: refusal.Status, Reason: gate.Reason(refusal.Reason), RetryAfter: refusal.RetryAfter, Cause: refusal.Cause, Named: named,
	}
}

// bridges are those of the gate, which have been checked.
func (g *Gate) bridges() []gate.Bridge {
	var made []gate.Bridge
	for _, bridge := range g.Bridges {
		until, _ := parseUntil(bridge.Until) // without one: zero
		made = append(made, gate.Bridge{Kind: gate.BridgeKind(bridge.Kind), Until: until})
	}
	return made
}

// keyHeader is the canonical name of the header with API keys; empty: there is
// no bridge for them.
func (g *Gate) keyHeader() string {
	for _, bridge := range g.Bridges {
		if bridge.Kind == string(gate.BridgeAPIKey) {
			return http.CanonicalHeaderKey(bridge.Header)
		}
	}
	return ""
}

// takeKeys finds the API keys of a request, before their header is removed. A
// field without a value counts as left out, as parameters do.
func (g *Gate) takeKeys(r *http.Request, facts *gate.Request) {
	name := g.headers.key
	if name == "" {
		return
	}
	fields := r.Header[name]
	if len(fields) == 0 && facts.KeyHeader == name {
		return // a gate further out has taken them away
	}
	facts.Keys, facts.KeyHeader = nil, name
	for _, field := range fields {
		if field != "" {
			facts.Keys = append(facts.Keys, field)
		}
	}
}

// deprecatedSince is what answers say in Deprecation (RFC 9745): the moment from
// which whoever sends a secret in place of a token should not. It is the month of
// RFC 9700, since when that is best current practice, and the same in every
// answer of every instance: when a bridge was built is not known, and when
// a configuration was loaded tells clients nothing. The date of Sunset must not be
// earlier, which it is not: such a bridge has ended.
const deprecatedSince = "@1735689600" // 2025-01-01T00:00:00Z

// deprecate tells a caller who passes by a bridge, and the operator, that it must
// come to an end.
func (g *Gate) deprecate(w http.ResponseWriter, r *http.Request, facts *gate.Request, verdict *gate.Verdict) {
	header := w.Header()
	header.Set("Deprecation", deprecatedSince)
	if !verdict.Sunset.IsZero() { // RFC 8594
		header.Set("Sunset", verdict.Sunset.UTC().Format(http.TimeFormat))
	}
	// One row for each client, whatever it asks for: these must not take the room
	// of refusals.
	g.app.shared.report.Add(&report.Entry{
		Gate: g.Resource, Site: g.app.siteOf(g), Passed: true, Bridge: verdict.Bridge, Reason: gate.ReasonBridge,
		ClientID: verdict.Claims.ClientID, Verified: true, Address: facts.Address, UserAgent: r.UserAgent(),
	})
}

// warnOfBridges tells the operator what to look after. A date in the past is no
// mistake: a configuration must not stop loading on that day.
func (g *Gate) warnOfBridges(logger *zap.Logger) {
	for _, bridge := range g.Bridges {
		about := []zap.Field{zap.String("resource", g.Resource), zap.String("bridge", bridge.Kind)}
		until, err := parseUntil(bridge.Until)
		switch {
		case bridge.Until == "":
			logger.Warn("a bridge without an end: secrets pass in place of tokens for ever, unless `until` names a date", about...)
		case err == nil && !time.Now().Before(until):
			logger.Warn("a bridge has ended: what comes by it is refused, and its lines can go", append(about, zap.Time("until", until))...)
		}
	}
	count, without := g.app.bridgeClients()
	switch {
	case len(g.Bridges) == 0:
	case count == 0:
		logger.Warn("a bridge that nobody may use: no client has allow_bridge", zap.String("resource", g.Resource))
	case g.keyHeader() != "" && len(without) > 0:
		logger.Warn("clients with allow_bridge of whose secrets none can be an API key: a slow hash does not tell whose it is",
			zap.String("resource", g.Resource), zap.String("clients", strings.Join(without, " ")))
	}
}
