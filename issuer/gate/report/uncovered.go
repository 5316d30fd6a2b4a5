package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// gateSection is what is suggested for one gate.
type gateSection struct {
	section
	missing map[uncovered]*missingRule
}

// uncovered is a method and a path for which there is no rule.
type uncovered struct{ method, template string }

// missingRule is what is known of those who need the rule.
type missingRule struct {
	uncovered
	with    []*Row       // with a token
	without []*Row       // without one
	common  token.Scopes // what all the tokens have
	all     token.Scopes // what one of them has
}

func (g *gateSection) uncovered(row *Row) {
	key := uncovered{ruleMethod(row.Method), row.Path}
	rule := g.missing[key]
	if rule == nil {
		rule = &missingRule{uncovered: key}
		g.missing[key] = rule
	}
	if !row.Verified {
		rule.without = append(rule.without, row)
		return
	}
	if len(rule.with) == 0 {
		rule.common = row.Scope
	} else {
		rule.common = rule.common.Keep(row.Scope)
	}
	rule.all = rule.all.Union(row.Scope)
	rule.with = append(rule.with, row)
}

func (m *missingRule) count() (sum uint64) {
	for _, row := range slices.Concat(m.with, m.without) {
		sum += row.Count()
	}
	return sum
}

// maxRules bounds the rules that are suggested for a gate: each is held against
// all before it, and nobody reads more.
const maxRules = 200

// addRules makes lines of the rules that are missing, those that are missed
// most often first: of two that contradict each other this one counts.
func (g *gateSection) addRules(inForce []gate.Rule) {
	rules := slices.SortedFunc(maps.Values(g.missing), func(a, b *missingRule) int {
		return cmp.Or(cmp.Compare(b.count(), a.count()), cmp.Compare(a.template, b.template), cmp.Compare(a.method, b.method))
	})
	problems := problemsOf(rules, inForce)
	for _, rule := range rules {
		g.addAll(rule.with, rule.line(), problems[rule])
		g.addAll(rule.without, lineKey{"public " + rule.where(), true,
			"without a token: only where everybody may, else make the caller a client"}, problems[rule])
	}
}

// problemsOf says why rules cannot be added to a gate; nothing of those that can.
func problemsOf(rules []*missingRule, inForce []gate.Rule) map[*missingRule]string {
	problems := make(map[*missingRule]string)
	var possible []*missingRule
	var more []gate.Rule
	for _, rule := range rules {
		switch {
		case !nameable(rule.method):
			problems[rule] = "this cannot be a rule"
		case len(possible) == maxRules:
			problems[rule] = "more rules than are looked at: add those above first"
		default:
			possible = append(possible, rule)
			more = append(more, gate.Rule{Methods: []string{rule.method}, Pattern: pattern(rule.template)})
		}
	}
	set := ruleSet{rules: inForce, inForce: len(inForce)}
	for i, problem := range set.fit(more) {
		problems[possible[i]] = problem
	}
	return problems
}

func (g *gateSection) addAll(rows []*Row, key lineKey, problem string) {
	if problem != "" {
		key.off, key.why = true, problem
	}
	for _, row := range rows {
		g.add(key.text, key.off, row, key.why)
	}
}

func (m *missingRule) where() string { return m.method + " " + pattern(m.template) }

// line is the rule for those who have a token.
func (m *missingRule) line() lineKey {
	bare := slices.ContainsFunc(m.with, func(row *Row) bool { return len(row.Scope) == 0 })
	switch {
	case len(m.common) > 0:
		scopes, ok := words(m.common)
		return lineKey{"require " + m.where() + " " + scopes, !ok,
			"all these callers have these scopes: keep those that should be needed"}
	case bare:
		return lineKey{"require " + m.where() + " <scope>", true,
			"a caller's token has no scope: name one, and grant it"}
	}
	scopes, ok := words(m.all)
	return lineKey{"require_any " + m.where() + " " + scopes, !ok, "these callers have no scope in common"}
}
