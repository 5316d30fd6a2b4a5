package report

import (
	"cmp"
	"strings"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Row tells of all refusals, or passes by a bridge, that have gate, site, caller,
// method, rule or path, and reason in common. The JSON names are what operators' scripts rely on.
type Row struct {
	// Gate is the resource of the gate.
	Gate string `json:"gate"`

	// Site is where the gate stands, in the words of the configuration; empty where
	// that is not known.
	Site string `json:"site"`

	// Other: the callers, methods and paths that found no room, all together.
	Other bool `json:"other,omitempty"`

	// Verified: the caller's token is one that was signed for the client
	// ClientID, by Issuer or, where that is empty, by our own. Otherwise Address
	// and UserAgent are the caller, and ClientID what a bad token says.
	Verified  bool   `json:"verified"`
	ClientID  string `json:"client_id,omitempty"`
	Issuer    string `json:"issuer,omitempty"`
	Address   string `json:"address,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`

	// Bridge: a secret came in place of a token, as `basic` or `api_key`.
	Bridge gate.BridgeKind `json:"bridge,omitempty"`

	Method string `json:"method,omitempty"`

	// Rule is the pattern of the rule that covers the requests, or Path the
	// template of their path. Uncovered: the gate has rules, but none for it.
	Rule      string `json:"rule,omitempty"`
	Path      string `json:"path,omitempty"`
	Uncovered bool   `json:"uncovered,omitempty"`

	Reason gate.Reason `json:"reason"`

	// Reported counts requests that passed and would have been refused, Refused
	// those that were, and Passed those that passed by a bridge: these have rows
	// of their own, with the reason `bridge`.
	Reported uint64 `json:"reported"`
	Refused  uint64 `json:"refused"`
	Passed   uint64 `json:"passed,omitempty"`

	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`

	// Needs are sets of scopes each of which is enough, Scope the first of what
	// the last token has, 1 KiB in all.
	Needs []token.Scopes `json:"needs,omitempty"`
	Scope token.Scopes   `json:"scope,omitempty"`

	// RefusalID is that of the last one, by which the log finds it.
	RefusalID string `json:"refusal_id,omitempty"`
}

// Count is the number of requests, refused or not.
func (r *Row) Count() uint64 { return r.Reported + r.Refused + r.Passed }

// row reads the key back.
func (c *counts) row(key string) Row {
	part := strings.SplitN(key, string(rune(separator)), fields)
	has := func(flag byte) bool { return strings.IndexByte(part[fieldFlags], flag) >= 0 }
	row := Row{
		Gate: part[fieldGate], Site: part[fieldSite], Other: has(flagOther), Verified: has(flagVerified),
		ClientID: part[fieldClientID], Issuer: part[fieldIssuer],
		Address: part[fieldAddress], UserAgent: part[fieldUserAgent],
		Method: part[fieldMethod], Path: part[fieldPath], Uncovered: has(flagUncovered),
		Reason:   gate.Reason(part[fieldReason]),
		Reported: c.reported, Refused: c.refused, Passed: c.passed,
		FirstSeen: time.Unix(0, c.firstSeen).UTC(), LastSeen: time.Unix(0, c.lastSeen).UTC(),
		Needs: c.needs, Scope: c.scope, RefusalID: c.id,
	}
	switch {
	case has(flagBasic):
		row.Bridge = gate.BridgeBasic
	case has(flagAPIKey):
		row.Bridge = gate.BridgeAPIKey
	}
	if has(flagRule) {
		row.Rule, row.Path = row.Path, ""
	}
	return row
}

// merge adds the counts of a row for the same.
func (r *Row) merge(other *Row) {
	r.Reported += other.Reported
	r.Refused += other.Refused
	r.Passed += other.Passed
	if other.FirstSeen.Before(r.FirstSeen) {
		r.FirstSeen = other.FirstSeen
	}
	if other.LastSeen.After(r.LastSeen) {
		r.LastSeen, r.RefusalID = other.LastSeen, other.RefusalID
	}
}

// compare puts the highest counts first, and what has no room last.
func (r Row) compare(other Row) int {
	last := func(row *Row) int {
		if row.Other {
			return 1
		}
		return 0
	}
	return cmp.Or(
		last(&r)-last(&other),
		cmp.Compare(other.Count(), r.Count()),
		cmp.Compare(r.Gate, other.Gate),
		cmp.Compare(r.Site, other.Site),
		cmp.Compare(r.ClientID, other.ClientID),
		cmp.Compare(r.Address, other.Address),
		cmp.Compare(r.Rule+r.Path, other.Rule+other.Path),
		cmp.Compare(r.Method, other.Method),
		cmp.Compare(r.Reason, other.Reason),
		cmp.Compare(r.UserAgent, other.UserAgent),
		cmp.Compare(r.Issuer, other.Issuer),
	)
}
