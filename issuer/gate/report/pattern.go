package report

import (
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

// ruleSet keeps suggested rules from contradicting each other.
type ruleSet struct{ rules []gate.Rule }

// add tells whether a gate can have the rule beside those added before.
func (s *ruleSet) add(method, pattern string) bool {
	if strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") != "" {
		return false // a name that a Caddyfile does not take
	}
	more := append(slices.Clip(s.rules), gate.Rule{Methods: []string{method}, Pattern: pattern})
	if _, err := gate.NewRules(more); err != nil {
		return false
	}
	s.rules = more
	return true
}
