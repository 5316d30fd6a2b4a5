package caddymodule

import (
	"math"
	"net/http"
	"strconv"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/report"
)

// record tells the trace, the audit log and the report of a request that the gate
// refuses or, where it only reports, would have refused, and returns what all of them
// call it.
func (g *Gate) record(r *http.Request, facts *gate.Request, verdict *gate.Verdict) (id string) {
	id = refusalID(r.Context())
	traceVerdict(r.Context(), g, verdict, id)
	g.app.audit.refused(r, g, verdict, id)
	g.report(r, facts, verdict, !g.ReportOnly, id)
	return id
}

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

// deny answers a request that must not pass: the challenge in the header, the
// error in a JSON body or, where the site has handle_errors, there.
func (g *Gate) deny(w http.ResponseWriter, r *http.Request, verdict *gate.Verdict, id string) error {
	if challenges := g.gate.Challenges(verdict); len(challenges) > 0 {
		w.Header()["Www-Authenticate"] = challenges
	}
	switch {
	case verdict.RetryAfter > 0:
		w.Header().Set("Retry-After", strconv.FormatInt(int64(math.Ceil(verdict.RetryAfter.Seconds())), 10))
	case verdict.Status() == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	}
	return refuse(w, r, verdict.Status(), refusalBody{Error: verdict.Code(), Description: verdict.Description(), ID: id})
}
