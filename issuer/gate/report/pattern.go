package report

import (
	"errors"
	"slices"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// pattern is the rule's pattern that covers the paths of a template and, at the
// end, no others: what asks for "/" must not open the whole site.
func pattern(template string) string {
	words := strings.Split(template, "/")
	for i, word := range words {
		last := i == len(words)-1
		switch {
		case word == anySegment:
			words[i] = "{id}"
		case word == anyRest && last:
			words[i] = "{rest...}"
		case word == "" && last:
			words[i] = "{$}"
		}
	}
	return strings.Join(words, "/")
}

// ruleMethod is the method that a rule names for requests of a method.
func ruleMethod(method string) string {
	if method == "HEAD" {
		return "GET" // a rule for GET is for HEAD too
	}
	return method
}

// ruleSet keeps suggested rules from contradicting those of the gate, and each
// other.
type ruleSet struct {
	rules   []gate.Rule
	inForce int // how many of these the gate has
}

// fit adds those of more that a gate can have beside the rules before them, and
// says of each what is wrong with it; empty: nothing. Where all fit it is one look,
// and else one at each half: few conflicts cost little, also among many rules.
func (s *ruleSet) fit(more []gate.Rule) (problems []string) {
	all := slices.Concat(s.rules, more)
	_, err := gate.NewRules(all)
	switch {
	case err == nil:
		s.rules = all
		return make([]string, len(more))
	case len(more) == 1:
		return []string{s.problem(&more[0], err)}
	}
	half := len(more) / 2
	return append(s.fit(more[:half]), s.fit(more[half:])...)
}

// problem names the rule that stands in the way of another one.
func (s *ruleSet) problem(rule *gate.Rule, err error) string {
	var conflict *gate.RuleError
	if !errors.As(err, &conflict) || conflict.First >= len(s.rules) {
		return "this cannot be a rule"
	}
	other := &s.rules[conflict.First]
	name := "`" + spelled(other.String()) + "`"
	if conflict.First >= s.inForce {
		return "contradicts " + name + " above"
	}
	if other.Origin != "" {
		name += " (" + spelled(other.Origin) + ")"
	}
	if gate.Overrides(s.rules[conflict.First:conflict.First+1])(rule.Methods[0], rule.Pattern) {
		return "the gate has a rule for these requests by now: " + name
	}
	return "conflicts with a rule that the gate has: " + name
}

// nameable tells whether a Caddyfile takes the name of a method.
func nameable(method string) bool {
	return method != "" && strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == ""
}
