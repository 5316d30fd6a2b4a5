package caddymodule

import (
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// coverage is what the routes of a configuration need, and what does not fit
// together. Its JSON members are a surface that scripts rely on.
type coverage struct {
	Gates    []coveredGate `json:"gates"`
	Findings []remark      `json:"findings"` // that are mistakes
	Warnings []remark      `json:"warnings"` // that may be meant so
}

// coveredGate is a gate and what it asks for.
type coveredGate struct {
	Server     string          `json:"server"`
	Where      string          `json:"where"` // the matchers before it
	Resource   string          `json:"resource"`
	Issuers    []string        `json:"issuers"`
	ReportOnly bool            `json:"report_only"`
	Rules      []coveredRule   `json:"rules"`
	Bridges    []coveredBridge `json:"bridges"`

	gate *Gate
}

// coveredRule is a rule of a gate; a gate without rules has one for everything.
type coveredRule struct {
	Methods []string       `json:"methods"` // none: every method
	Pattern string         `json:"pattern"`
	Public  bool           `json:"public"`
	Needs   []token.Scopes `json:"needs"`   // sets of scopes each of which is enough; none: any token
	Clients []string       `json:"clients"` // of our own issuer, that can pass
	Origin  string         `json:"origin"`

	name string
}

// coveredBridge is a way past a gate with a secret in place of a token.
type coveredBridge struct {
	Kind   string `json:"kind"`
	Header string `json:"header,omitempty"`
	Until  string `json:"until,omitempty"` // RFC 3339; empty: it has no end
	Ended  bool   `json:"ended"`
}

// remark is something that an operator should look at.
type remark struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// The kinds of remarks.
const (
	ruleNobodyPasses  = "rule_nobody_passes" // no client has what a rule asks for
	clientUseless     = "client_can_do_nothing"
	routeWithoutGate  = "route_without_gate"
	errorsWithoutGate = "errors_without_gate" // a proxy in handle_errors gets what gates refuse
	routePartlyOpen   = "route_partly_open"   // a gate stands there for some requests alone
	scopeUnused       = "scope_unused"        // declared, and no rule asks for it
	scopeNobodyHas    = "scope_nobody_has"    // one way to satisfy a rule is nobody's
	bridgeEndless     = "bridge_endless"      // nothing makes callers change
	issuerUnused      = "issuer_unused"       // trusted, and no gate takes its tokens
)

func (c *coverage) find(kind, text string) {
	c.Findings = append(c.Findings, remark{kind, text})
}

func (c *coverage) warn(kind, text string) {
	c.Warnings = append(c.Warnings, remark{kind, text})
}

// coverage looks at all routes.
func (l *looked) coverage() *coverage {
	found := &coverage{Gates: []coveredGate{}, Findings: []remark{}, Warnings: []remark{}}
	l.walk(found)
	if l.app == nil {
		return found
	}
	l.app.judgeRules(found)
	l.app.judgeClients(found)
	l.app.judgeScopes(found)
	l.app.judgeTrusted(found)
	l.app.judgeBridges(found)
	return found
}
