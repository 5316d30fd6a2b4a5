package gate

import (
	"slices"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Enough lists sets of scopes each of which is enough for requests that a rule
// covers; with nil, for those of a gate without rules. It is what a client
// would have to be given, where [Verdict.Needed] is what a challenge may list.
// There is no set where no scope is needed. None may be changed.
func (g *Gate) Enough(rule *Rule) []token.Scopes {
	always := g.config.Scopes
	var sets []token.Scopes
	switch {
	case rule == nil:
		sets = []token.Scopes{always}
	case rule.Public:
		return nil
	case len(rule.Alternatives) > 0:
		for _, scopes := range rule.Alternatives {
			sets = append(sets, always.Union(scopes))
		}
	case rule.Any:
		for i := range rule.Scopes {
			sets = append(sets, always.Union(rule.Scopes[i:i+1]))
		}
	default:
		sets = []token.Scopes{always.Union(rule.Scopes)}
	}
	if len(sets[0]) == 0 { // it is the only one: others name a scope
		return nil
	}
	return sets
}

// EnoughFor is [Gate.Enough] of the rule with a pattern that covers a method, or,
// where both gate and request have no rule (the pattern is empty), of the gate. Found
// is false where there is no such rule.
func (g *Gate) EnoughFor(method, pattern string) (sets []token.Scopes, found bool) {
	rules := g.rules.Load().rules
	if len(rules) == 0 {
		return g.Enough(nil), pattern == ""
	}
	for i := range rules {
		rule := &rules[i]
		named := slices.Contains(rule.Methods, method)
		if rule.Pattern == pattern && rule.covers(method) && (named || !found) {
			sets, found = g.Enough(rule), true
		}
	}
	return sets, found
}

// AllowsClient tells whether a client of an issuer (empty: of our own) may pass at all.
func (g *Gate) AllowsClient(issuer, clientID string) bool {
	if g.allowed == nil {
		return true
	}
	_, ok := g.allowed[caller{foreign: issuer, clientID: clientID}]
	return ok
}
