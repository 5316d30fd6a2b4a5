package gate

import (
	"fmt"
	"slices"
)

// Rules finds the rule for a request. It is immutable and may be used by any
// number of goroutines.
//
// The meaning is that of patterns in one [http.ServeMux]: of the rules that
// cover a request the one with the most specific path counts, and of those for
// the same path the one that names the method. There is one difference: where
// ServeMux redirects "/admin" to "/admin/", a rule for the subtree "/admin/" is
// for "/admin" too, unless a rule for that very path covers the method. An
// upstream may serve both alike, so "/{page}" must not decide on "/admin".
type Rules struct {
	rules []Rule
	root  node
}

// route is a rule and its parsed pattern.
type route struct {
	rule    *Rule
	index   int // of the rule, as it was given
	pattern pattern
	base    bool // the path of a subtree without its slash
}

// RuleError says what is wrong with a rule.
type RuleError struct {
	Index int   // of the rule among those given; the later one where two conflict
	First int   // the index of the earlier of two that conflict; else that of the rule
	Err   error // names the rule, or both
}

func (e *RuleError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *RuleError) Unwrap() error { return e.Err }

func ruleErrorf(index int, format string, args ...any) error {
	return &RuleError{Index: index, First: index, Err: fmt.Errorf(format, args...)}
}

// conflictErrorf is about two rules.
func conflictErrorf(a, b route, format string, args ...any) error {
	return &RuleError{Index: max(a.index, b.index), First: min(a.index, b.index), Err: fmt.Errorf(format, args...)}
}

// NewRules checks rules and prepares them. It takes over what they refer to,
// which must not be changed afterwards.
//
// A [RuleError] names the rule, or both where two conflict: these cover some of
// the same requests, and neither is more specific.
func NewRules(rules []Rule) (*Rules, error) {
	r := &Rules{rules: slices.Clone(rules)}
	routes := make([]route, len(rules))
	for i := range r.rules {
		rule := &r.rules[i]
		if err := rule.validate(); err != nil {
			return nil, ruleErrorf(i, "%s: %w", rule.label(), err)
		}
		parsed, err := parsePattern(rule.Pattern)
		if err != nil {
			return nil, ruleErrorf(i, "%s: pattern: %w", rule.label(), err)
		}
		routes[i] = route{rule: rule, index: i, pattern: parsed}
	}
	if err := checkConflicts(routes); err != nil {
		return nil, err
	}
	for _, route := range routes {
		r.root.add(route)
	}
	return r, nil
}

// Match returns the rule for a method and a decoded path that passed
// [CheckPath]. Without one, ok is false and the request must be refused. The
// rule must not be changed. Match allocates nothing, and its cost grows with
// the segments of the path, not with the number of rules.
func (r *Rules) Match(method, path string) (rule *Rule, ok bool) {
	if path == "" || path[0] != '/' {
		return nil, false
	}
	rule = r.root.match(method, path)
	return rule, rule != nil
}

// Len is the number of rules.
func (r *Rules) Len() int { return len(r.rules) }

// NamesMethod tells whether a rule names a method. Then the upstream must not
// be told another one than the rules looked at (X-HTTP-Method-Override).
func (r *Rules) NamesMethod() bool {
	return slices.ContainsFunc(r.rules, func(rule Rule) bool { return len(rule.Methods) > 0 })
}
