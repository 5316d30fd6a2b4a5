package gate

import (
	"math/rand/v2"
	"net/http"
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

// Our tree and ServeMux must give the same answer to every request, or rules
// do not mean what the documentation says.
func TestMatchEqualsServeMux(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	choose := choices(random.IntN)
	for range 500 {
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
	for range 5000 {
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
