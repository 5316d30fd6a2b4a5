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
