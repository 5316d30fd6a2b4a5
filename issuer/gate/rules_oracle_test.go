package gate

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// mark is the handler by which an oracle tells which rule it chose.
type mark struct{ rule *Rule }

func (mark) ServeHTTP(http.ResponseWriter, *http.Request) {}

func ask(mux *http.ServeMux, method, path string) (chosen *Rule, redirected bool) {
	request := httptest.NewRequest(method, (&url.URL{Path: path}).EscapedPath(), nil)
	handler, pattern := mux.Handler(request)
	if m, ok := handler.(mark); ok {
		return m.rule, false
	}
	return nil, pattern != ""
}

func stdTexts(rule *Rule) []string {
	if len(rule.Methods) == 0 {
		return []string{rule.Pattern}
	}
	var texts []string
	for _, method := range rule.Methods {
		texts = append(texts, method+" "+rule.Pattern)
	}
	return texts
}

// stdMux holds the rules as they were written.
func stdMux(rules []Rule) *http.ServeMux {
	mux := http.NewServeMux()
	for i := range rules {
		for _, text := range stdTexts(&rules[i]) {
			mux.Handle(text, mark{&rules[i]})
		}
	}
	return mux
}

// baseOf is the pattern of a subtree without what is behind its last slash.
func baseOf(pattern string) string {
	if base, ok := strings.CutSuffix(pattern, "/{rest...}"); ok {
		return base
	}
	if base, ok := strings.CutSuffix(pattern, "/"); ok {
		return base
	}
	return ""
}

// better tells whether a rule counts for the method before another that is for
// the same path.
func better(rule, than *Rule, method string) bool {
	rank := func(r *Rule) int {
		for i, name := range []string{method, "GET", ""} {
			for _, own := range r.Methods {
				if own == name {
					return i
				}
			}
		}
		return 3
	}
	return rank(rule) < rank(than)
}

// candidates are the rules for a method by pattern, those for the base of a
// subtree included: per path the one that counts. Without {$} there is nothing
// that ServeMux would redirect a path without a slash to.
func candidates(rules []Rule, method string, dollar bool) map[string]*Rule {
	own, bases := map[string]*Rule{}, map[string]*Rule{}
	keep := func(set map[string]*Rule, pattern string, rule *Rule) {
		for other, known := range set {
			if samePath(other, pattern) {
				if better(rule, known, method) {
					set[other] = rule
				}
				return
			}
		}
		set[pattern] = rule
	}
	for i := range rules {
		rule := &rules[i]
		if !rule.covers(method) || strings.HasSuffix(rule.Pattern, "{$}") && !dollar {
			continue
		}
		keep(own, rule.Pattern, rule)
		if base := baseOf(rule.Pattern); base != "" {
			keep(bases, base, rule)
		}
	}
	for base, rule := range bases {
		taken := false
		for pattern := range own {
			taken = taken || samePath(pattern, base)
		}
		if !taken {
			own[base] = rule
		}
	}
	return own
}

// samePath tells whether two patterns that ServeMux takes match the same paths.
func samePath(a, b string) bool {
	left, errA := parsePattern(a)
	right, errB := parsePattern(b)
	return errA == nil && errB == nil && left.muxText() == right.muxText()
}

// checkAgainstServeMux compares an answer with the standard library's: of the
// rules as they stand, and where a base comes in, of the rules for the method
// with bases as patterns of their own.
func checkAgainstServeMux(t *testing.T, rules *Rules, method, path string) {
	t.Helper()
	got, _ := rules.Match(method, path)
	mux := http.NewServeMux()
	for pattern, rule := range candidates(rules.rules, method, strings.HasSuffix(path, "/")) {
		mux.Handle(pattern, mark{rule})
	}
	want, redirected := ask(mux, method, path)
	if got != want || redirected {
		t.Fatalf("%s %s: got %v, the oracle says %v (redirected: %v); rules %v", method, path, got, want, redirected, texts(rules))
	}
	direct, redirected := ask(stdMux(rules.rules), method, path)
	onBase := got != nil && onBase(got, method, path)
	if got != direct && !redirected && !onBase {
		t.Fatalf("%s %s: got %v, ServeMux says %v; rules %v", method, path, got, direct, texts(rules))
	}
}

// onBase tells whether the rule matches the path as the base of its subtree alone.
func onBase(rule *Rule, method, path string) bool {
	alone, _ := ask(stdMux([]Rule{*rule}), method, path)
	return alone == nil
}

func texts(rules *Rules) []string {
	var list []string
	for i := range rules.rules {
		list = append(list, rules.rules[i].String())
	}
	return list
}
