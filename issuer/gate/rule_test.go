package gate

import (
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// A rule that no request can meet would leave its paths to a weaker one.
func TestRuleValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule    Rule
		message string // "": valid
	}{
		{Rule{}, ""},
		{Rule{Methods: []string{"GET", "HEAD", "PURGE", "M-SEARCH", "purge"}}, ""},
		{Rule{Scopes: token.Scopes{"a", "b"}}, ""},
		{Rule{Scopes: token.Scopes{"a"}, Any: true}, ""},
		{Rule{Public: true}, ""},
		{Rule{Methods: []string{"get"}}, `method "get": expected "GET"`},
		{Rule{Methods: []string{"POST", "Delete"}}, `method "Delete": expected "DELETE"`},
		{Rule{Methods: []string{"*"}}, `every method`},
		{Rule{Methods: []string{"GET", "*"}}, `every method`},
		{Rule{Methods: []string{""}}, `method ""`},
		{Rule{Methods: []string{"GET,POST"}}, `method "GET,POST"`},
		{Rule{Methods: []string{"GET "}}, `method "GET "`},
		{Rule{Methods: []string{"GÉT"}}, `method "GÉT"`},
		{Rule{Methods: []string{"GET\n"}}, `method "GET\n"`},
		{Rule{Methods: []string{"GET", "POST", "GET"}}, `method "GET" stands twice`},
		{Rule{Scopes: token.Scopes{"a b"}}, `scope "a b"`},
		{Rule{Scopes: token.Scopes{""}}, `scope ""`},
		{Rule{Public: true, Scopes: token.Scopes{"a"}}, `public rule has scopes`},
		{Rule{Public: true, Any: true}, `public rule has scopes`},
		{Rule{Any: true}, `at least one scope`},
		{Rule{Alternatives: []token.Scopes{{"a"}, {"b", "c"}}}, ""},
		{Rule{Alternatives: []token.Scopes{{"a"}}}, ""},
		{Rule{Alternatives: []token.Scopes{{"a"}, {"b", "c d"}}}, `scope "c d"`},
		{Rule{Alternatives: []token.Scopes{{"a"}, {}}}, `no scopes`},
		{Rule{Alternatives: []token.Scopes{{"a"}}, Scopes: token.Scopes{"a"}}, `both scopes and alternatives`},
		{Rule{Alternatives: []token.Scopes{{"a"}}, Any: true}, `both scopes and alternatives`},
		{Rule{Alternatives: []token.Scopes{{"a"}}, Public: true}, `public rule has scopes`},
	}
	for _, test := range tests {
		err := test.rule.validate()
		if test.message == "" && err != nil || test.message != "" && (err == nil || !strings.Contains(err.Error(), test.message)) {
			t.Errorf("%+v: %v, want %q", test.rule, err, test.message)
		}
	}
}

func TestRuleString(t *testing.T) {
	t.Parallel()
	rule := Rule{Methods: []string{"GET", "POST"}, Pattern: "/a"}
	if got := rule.String(); got != "GET,POST /a" {
		t.Error(got)
	}
	if got := (&Rule{Pattern: "/a", Origin: "Caddyfile:3"}).label(); got != `rule "* /a" (Caddyfile:3)` {
		t.Error(got)
	}
}

// One alternative is enough, and half of two is not.
func TestRuleAlternatives(t *testing.T) {
	t.Parallel()
	rule := Rule{Alternatives: []token.Scopes{{"a", "b"}, {"c", "d", "e"}, {"f", "g"}}}
	tests := []struct {
		scope     token.Scopes
		satisfied bool
		needed    string // beside the scope "all"
	}{
		{nil, false, "all a b"},
		{token.Scopes{"a"}, false, "all a b"},
		{token.Scopes{"a", "b"}, true, "all a b"},
		{token.Scopes{"b", "x", "a"}, true, "all a b"},
		{token.Scopes{"a", "c", "f"}, false, "all a b"},
		{token.Scopes{"c", "d"}, false, "all c d e"},
		{token.Scopes{"g"}, false, "all f g"},
		{token.Scopes{"c", "d", "e"}, true, "all c d e"},
		{token.Scopes{"A", "B"}, false, "all a b"},
	}
	for _, test := range tests {
		if got := rule.satisfied(test.scope); got != test.satisfied {
			t.Errorf("%q: satisfied is %t", test.scope, got)
		}
		if got := rule.needed(token.Scopes{"all"}, test.scope); got.String() != test.needed {
			t.Errorf("%q: needed is %q, want %q", test.scope, got, test.needed)
		}
	}
	// What every request needs may be what an alternative lacks.
	if got := rule.needed(token.Scopes{"f", "g"}, nil); got.String() != "f g" {
		t.Errorf("needed is %q", got)
	}
}

// What decides on a request with a known token allocates nothing.
func TestSatisfiedAllocatesNothing(t *testing.T) {
	rule, scope := Rule{Alternatives: []token.Scopes{{"a", "b"}, {"c"}}}, token.Scopes{"c"}
	if n := testing.AllocsPerRun(100, func() { rule.satisfied(scope) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
