package gate

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Few words, so that random rules meet; names are fit for ServeMux itself.
var (
	fuzzMethods  = []string{"GET", "HEAD", "POST", "PURGE"}
	fuzzSegments = []string{"a", "b", "c", "%61", "{x0}", "{x1}", "{x2}", "{x3}"}
	fuzzEnds     = []string{"", "", "", "/", "/", "/{$}", "/{rest...}"}
	fuzzPath     = []string{"a", "b", "c", "d"}
)

// choices turns numbers, random ones or a fuzzer's, into rules and requests.
type choices func(n int) int

func (choose choices) rule() Rule {
	var rule Rule
	for _, method := range fuzzMethods {
		if choose(3) == 0 {
			rule.Methods = append(rule.Methods, method)
		}
	}
	for depth := choose(4); depth > 0; depth-- {
		word := fuzzSegments[choose(len(fuzzSegments))]
		if word[0] == '{' {
			word = "{x" + string(rune('0'+depth)) + "}" // each name once, as ServeMux wants it
		}
		rule.Pattern += "/" + word
	}
	rule.Pattern += fuzzEnds[choose(len(fuzzEnds))]
	if rule.Pattern == "" {
		rule.Pattern = "/"
	}
	return rule
}

// ruleSet keeps adding rules as long as they do not conflict.
func (choose choices) ruleSet(t *testing.T, most int) *Rules {
	rules, err := NewRules(nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 1 + choose(most) {
		if more, err := NewRules(append(rules.rules, choose.rule())); err == nil {
			rules = more
		}
	}
	return rules
}

func (choose choices) path() string {
	path := ""
	for range choose(5) {
		path += "/" + fuzzPath[choose(len(fuzzPath))]
	}
	if path == "" || choose(3) == 0 {
		path += "/"
	}
	return path
}

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

// Our tree and ServeMux must give the same answer to every request, or rules
// do not mean what the documentation says.
func TestMatchEqualsServeMux(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	choose := choices(random.IntN)
	for range 1500 {
		rules := choose.ruleSet(t, 12)
		for range 20 {
			method := append(fuzzMethods, "PUT")[choose(5)]
			checkAgainstServeMux(t, rules, method, choose.path())
		}
	}
}

// Whatever ServeMux takes as a set of rules we take too, and nothing else,
// unless the base of a subtree makes two of them conflict.
func TestNewRulesEqualsServeMux(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	choose := choices(random.IntN)
	for range 20000 {
		list := []Rule{choose.rule(), choose.rule(), choose.rule()}
		mux, taken := http.NewServeMux(), true
		for i := range list {
			for _, text := range stdTexts(&list[i]) {
				taken = taken && register(mux, text)
			}
		}
		_, err := NewRules(list)
		byBase := err != nil && strings.Contains(err.Error(), "without the last slash")
		if taken != (err == nil) && !(taken && byBase) {
			t.Fatalf("%v: ServeMux takes it: %v, NewRules: %v", list, taken, err)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x01\x02\x03\x04\x05\x06\x07\x08\x09"))
	f.Fuzz(func(t *testing.T, data []byte) {
		choose := choices(func(n int) int {
			if len(data) == 0 {
				return 0
			}
			value := int(data[0]) % n
			data = data[1:]
			return value
		})
		rules := choose.ruleSet(t, 6)
		for range 5 {
			checkAgainstServeMux(t, rules, fuzzMethods[choose(len(fuzzMethods))], choose.path())
		}
	})
}
