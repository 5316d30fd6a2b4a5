package caddymodule

import (
	"context"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/report"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// What of a request and a verdict the report gets to know.
func TestReportedEntry(t *testing.T) {
	t.Parallel()
	const resource, own = "https://api.example", "https://as.example"
	made, err := gate.New(gate.Config{
		Issuers: []gate.Issuer{gate.NewOwn(own, nil, nil)}, Resource: resource, Cache: gate.NewCache(), Proofs: noProofs{},
		Scopes: token.Scopes{"api"},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := &Gate{Resource: resource, gate: made, app: &App{Issuer: own, shared: &shared{report: report.New(report.Config{})}}}
	rule := &gate.Rule{Methods: []string{"POST"}, Pattern: "/orders/{id}", Scopes: token.Scopes{"write", "admin"}, Any: true}
	signed := &token.Claims{Issuer: own, ClientID: "batch", Scope: token.Scopes{"read"}}
	foreign := &token.Claims{Issuer: "https://idp.example", ClientID: "app"}
	for _, c := range []struct {
		name    string
		verdict gate.Verdict
		want    report.Row
	}{
		{"scope", gate.Verdict{Reason: gate.ReasonScope, Rule: rule, Claims: signed, Signed: signed}, report.Row{
			Verified: true, ClientID: "batch", Rule: "/orders/{id}", Reason: gate.ReasonScope,
			Needs: []token.Scopes{{"api", "write"}, {"api", "admin"}}, Scope: token.Scopes{"read"},
		}},
		{"expired, no rule", gate.Verdict{Reason: "expired", Uncovered: true, Signed: foreign}, report.Row{
			Verified: true, ClientID: "app", Issuer: "https://idp.example", Path: "/orders/{}", Uncovered: true, Reason: "expired",
		}},
		{"proof", gate.Verdict{Reason: gate.Reason(proof.CheckReplay), Signed: signed}, report.Row{
			Verified: true, ClientID: "batch", Path: "/orders/{}", Reason: gate.Reason(proof.CheckReplay),
			Needs: []token.Scopes{{"api"}}, Scope: token.Scopes{"read"},
		}},
		{"nothing", gate.Verdict{Reason: gate.ReasonNoToken, Uncovered: true}, report.Row{
			Address: "192.0.2.7", UserAgent: "curl/8", Path: "/orders/{}", Uncovered: true, Reason: gate.ReasonNoToken,
		}},
	} {
		r := httptest.NewRequest("POST", "/orders/17?access_token=secret", nil)
		r.Header.Set("User-Agent", "curl/8")
		r = r.WithContext(context.WithValue(r.Context(), caddyhttp.VarsCtxKey, map[string]any{caddyhttp.ClientIPVarKey: "192.0.2.7"}))
		facts := gateRequest(r, variablesOf(r), nil)
		g.report(r, &facts, &c.verdict, true, "id")
		g.report(r, &facts, &c.verdict, false, "id-2")
		rows := g.app.shared.report.Reset(report.Filter{})
		if len(rows) != 1 {
			t.Fatalf("%s: %+v", c.name, rows)
		}
		c.want.Gate, c.want.Method, c.want.Refused, c.want.Reported, c.want.RefusalID = resource, "POST", 1, 1, "id-2"
		c.want.FirstSeen, c.want.LastSeen = rows[0].FirstSeen, rows[0].LastSeen
		if !reflect.DeepEqual(rows[0], c.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", c.name, rows[0], c.want)
		}
	}
}
