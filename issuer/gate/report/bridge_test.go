package report_test

import (
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/report"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Who uses a bridge is told apart from who is refused, and by which bridge.
func TestBridgeRows(t *testing.T) {
	t.Parallel()
	r := report.New(report.Config{})
	passed := report.Entry{Gate: "g", Passed: true, Bridge: gate.BridgeBasic, ClientID: "a", Verified: true, Reason: gate.ReasonBridge}
	byKey := passed
	byKey.Bridge = gate.BridgeAPIKey
	lacks := byKey
	lacks.Passed, lacks.Enforced, lacks.Reason, lacks.Method, lacks.Path, lacks.Needs = false, true, gate.ReasonScope, "GET", "/x", []token.Scopes{{"read"}}
	wrong := report.Entry{Gate: "g", Enforced: true, Bridge: gate.BridgeAPIKey, Address: "192.0.2.7", Reason: "unknown_key", Method: "GET", Path: "/x"}
	for _, entry := range []report.Entry{passed, passed, passed, byKey, byKey, lacks, wrong} {
		r.Add(&entry)
	}
	rows := r.Snapshot(report.Filter{})
	if len(rows) != 4 {
		t.Fatalf("%+v", rows)
	}
	if row := rows[0]; row.Bridge != gate.BridgeBasic || row.Passed != 3 || row.Count() != 3 || row.Refused+row.Reported != 0 || row.Caller() != "a" || row.Path != "" {
		t.Errorf("%+v", row)
	}
	if row := rows[1]; row.Bridge != gate.BridgeAPIKey || row.Passed != 2 {
		t.Errorf("%+v", row)
	}
	text := report.Suggest(rows, asBefore{})
	for _, expected := range []string{"\nscopes read\n", "unknown_key: what the caller brings to the bridge"} {
		if !strings.Contains(text, expected) {
			t.Errorf("no %q in:\n%s", expected, text)
		}
	}
	if strings.Contains(text, "5 times") || strings.Contains(text, "bridge: ") {
		t.Errorf("something is suggested for what passes:\n%s", text)
	}
}

// asBefore is a configuration in which nothing was added yet.
type asBefore struct{}

func (asBefore) Rules(string, string) []gate.Rule           { return nil }
func (asBefore) Allows(string, string, string, string) bool { return false }
func (asBefore) Needs(string, string, string, string) ([]token.Scopes, bool) {
	return nil, false
}
func (asBefore) Client(string) report.Client { return report.Client{Place: report.InConfiguration} }
