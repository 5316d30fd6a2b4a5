package gate

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// checkConflicts asks the standard library whether two rules conflict. With
// none, every request has one rule that is the most specific.
func checkConflicts(routes []route) error {
	// Under this setting ServeMux takes every pattern as a literal one and
	// finds no conflict: a load error is better than a gate that guesses.
	if !conflict("/{a}/b", "/a/{b}") {
		return errors.New("GODEBUG=httpmuxgo121=1 is set: rules cannot be checked for conflicts; expected it to be unset")
	}
	mux := http.NewServeMux()
	for i, r := range routes {
		for _, text := range r.muxTexts() {
			if !register(mux, text) {
				return explain(routes[:i], r, text)
			}
		}
	}
	return checkBases(routes)
}

// checkBases looks for rules that conflict since a rule for a subtree is for
// its base too: "/{x}/special/" and "/orders/{id}" both cover
// "/orders/special". Here the path decides alone: that the base of "* /admin/"
// covers more methods than "GET /{page}" is no conflict, it simply wins.
//
// Patterns for a subtree need no second look: where one conflicts with a base,
// it conflicts with the subtree of that base too, and ServeMux is slow where
// it has many of them.
func checkBases(routes []route) error {
	var all, bases []route
	for _, r := range routes {
		if base, ok := r.pattern.base(); ok {
			bases = append(bases, route{rule: r.rule, index: r.index, pattern: base, base: true})
		}
		if r.pattern.end == endHere {
			all = append(all, r)
		}
	}
	if len(bases) == 0 || len(all) == 0 {
		return nil
	}
	all = append(all, bases...)
	for _, method := range methodsOf(routes) {
		mux := http.NewServeMux()
		seen := make(map[string]bool)
		for i, r := range all {
			text := r.pattern.muxText()
			if seen[text] || !r.rule.covers(method) {
				continue // for the same path the tree knows which one counts
			}
			if !register(mux, text) {
				return explainBase(all[:i], r, method)
			}
			seen[text] = true
		}
	}
	return nil
}

// methodsOf returns the methods that rules name, and "" for all others where
// no rule names one.
func methodsOf(routes []route) []string {
	var methods []string
	for _, r := range routes {
		methods = append(methods, r.rule.Methods...)
	}
	if methods == nil {
		return []string{""}
	}
	slices.Sort(methods)
	return slices.Compact(methods)
}

// muxTexts spells the route for ServeMux, once for each method.
func (r route) muxTexts() []string {
	path := r.pattern.muxText()
	if len(r.rule.Methods) == 0 {
		return []string{path}
	}
	texts := make([]string, len(r.rule.Methods))
	for i, method := range r.rule.Methods {
		texts[i] = method + " " + path
	}
	return texts
}

// register tells whether mux takes the pattern. ServeMux panics where it does
// not, with positions in our sources, which say nothing to an operator.
func register(mux *http.ServeMux, text string) (ok bool) {
	defer func() { ok = recover() == nil }()
	mux.Handle(text, http.NotFoundHandler())
	return true
}

// conflict tells whether two patterns of ServeMux conflict.
func conflict(a, b string) bool {
	mux := http.NewServeMux()
	return register(mux, a) && !register(mux, b)
}

// explain finds the earlier rule that a text of late conflicts with. The
// earlier ones do not conflict with each other: one mux takes them all, and
// thousands of rules cost no more than they did before the conflict.
func explain(earlier []route, late route, text string) error {
	mux := http.NewServeMux()
	register(mux, text)
	for _, early := range earlier {
		for _, other := range early.muxTexts() {
			if other == text {
				return conflictErrorf(early, late, "%s and %s cover the same requests: expected one of them", early.rule.label(), late.rule.label())
			}
			if !register(mux, other) {
				return describe(early, late)
			}
		}
	}
	return refusedByMux(late)
}

// explainBase does so where one of the two is the base of a subtree.
func explainBase(earlier []route, late route, method string) error {
	mux := http.NewServeMux()
	register(mux, late.pattern.muxText())
	seen := make(map[string]bool)
	for _, early := range earlier {
		text := early.pattern.muxText()
		if seen[text] || !early.rule.covers(method) {
			continue
		}
		if !register(mux, text) {
			return describe(early, late)
		}
		seen[text] = true
	}
	return refusedByMux(late)
}

// refusedByMux stands for what should never happen: a pattern that we take and
// ServeMux does not.
func refusedByMux(r route) error {
	return ruleErrorf(r.index, "%s: net/http refuses the pattern", r.rule.label())
}

// describe says why two rules conflict that are not the same.
func describe(a, b route) error {
	first, second := a.rule.label(), b.rule.label()
	if !conflict(a.pattern.muxText(), b.pattern.muxText()) {
		return conflictErrorf(a, b, "%s and %s conflict: one covers more paths and the other more methods, so neither is more specific; "+
			"expected the same methods in both", first, second)
	}
	why := ""
	for _, r := range []route{a, b} {
		if r.base {
			why = fmt.Sprintf(" (%q is for its path without the last slash too)", r.rule.Pattern)
		}
	}
	return conflictErrorf(a, b, "%s and %s conflict: both cover %q%s, and neither is more specific",
		first, second, commonPath(a.pattern, b.pattern), why)
}
