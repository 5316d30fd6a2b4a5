package caddymodule

import (
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/report"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// current is the configuration that this app belongs to, and the clients that were
// made at run time, for what the report suggests.
type current struct{ app *App }

// Rules implements [report.Current].
func (c current) Rules(resource, site string) []gate.Rule {
	if at := c.app.gateAt(resource, site); at != nil {
		return at.Rules()
	}
	return nil
}

// Needs implements [report.Current].
func (c current) Needs(resource, site, method, pattern string) ([]token.Scopes, bool) {
	if at := c.app.gateAt(resource, site); at != nil {
		return at.EnoughFor(method, pattern)
	}
	return nil, false
}

// Allows implements [report.Current].
func (c current) Allows(resource, site, issuer, clientID string) bool {
	at := c.app.gateAt(resource, site)
	return at != nil && at.AllowsClient(issuer, clientID)
}

// Client implements [report.Current].
func (c current) Client(id string) report.Client {
	if c.app.clients == nil {
		return report.Client{}
	}
	known, found := c.app.clients.Lookup(id)
	switch {
	case !found:
		return report.Client{}
	case c.app.runtime == nil, c.app.runtime.configured[id]:
		return report.Client{Place: report.InConfiguration, Scopes: known.Scopes}
	}
	return report.Client{Place: report.AtRunTime, Scopes: known.Scopes}
}

// Interface guard.
var _ report.Current = current{}
