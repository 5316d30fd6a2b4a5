package caddymodule

import (
	"net/http"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/report"
)

// report counts a request that the gate refuses or, where it only reports,
// would have refused. id is what the answer and the log line call the refusal.
func (g *Gate) report(r *http.Request, facts *gate.Request, verdict *gate.Verdict, enforced bool, id string) {
	entry := report.Entry{
		Gate: g.Resource, Site: g.app.siteOf(g), Enforced: enforced,
		Address: clientAddress(r), UserAgent: r.UserAgent(),
		Method: facts.Method, Path: facts.EscapedPath, Uncovered: verdict.Uncovered,
		Reason: verdict.Reason, ID: id, Bridge: verdict.Bridge,
	}
	if !verdict.Uncovered {
		entry.Needs = g.gate.Enough(verdict.Rule)
	}
	if verdict.Rule != nil {
		entry.Rule = verdict.Rule.Pattern
	}
	if signed := verdict.Signed; signed != nil {
		entry.ClientID, entry.Verified, entry.Scope = signed.ClientID, true, signed.Scope
		if signed.Issuer != g.app.Issuer {
			entry.Issuer = signed.Issuer
		}
	}
	g.app.shared.report.Add(&entry)
}
