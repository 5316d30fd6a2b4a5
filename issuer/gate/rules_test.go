package gate

import (
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// readRules makes rules of lines such as "GET,HEAD /orders/"; "*" is every method.
func readRules(lines ...string) []Rule {
	rules := make([]Rule, len(lines))
	for i, line := range lines {
		methods, pattern, _ := strings.Cut(line, " ")
		rules[i] = Rule{Pattern: pattern}
		if methods != "*" {
			rules[i].Methods = strings.Split(methods, ",")
		}
	}
	return rules
}

func mustRules(t testing.TB, lines ...string) *Rules {
	t.Helper()
	rules, err := NewRules(readRules(lines...))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// checkMatches asks for each "METHOD /path" and wants the rule that is named,
// "" for none.
func checkMatches(t *testing.T, rules *Rules, want map[string]string) {
	t.Helper()
	for request, wanted := range want {
		method, path, _ := strings.Cut(request, " ")
		got := ""
		if rule, ok := rules.Match(method, path); ok {
			got = rule.String()
		} else if rule != nil {
			t.Errorf("%s: no match and a rule", request)
		}
		if got != wanted {
			t.Errorf("%s: rule %q, want %q", request, got, wanted)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		rules []string
		want  map[string]string
	}{
		{"no rules: nothing is covered", nil, map[string]string{"GET /": "", "GET /a": ""}},
		{
			"literals are compared byte for byte", []string{"* /Orders"},
			map[string]string{"GET /Orders": "* /Orders", "GET /orders": "", "GET /Orders/": "", "GET /Orders/1": "", "GET /Order": "", "GET /Orders2": ""},
		},
		{
			"the most specific path wins", []string{"* /", "* /orders/", "* /orders/{id}", "* /orders/new", "* /orders/{id}/items"},
			map[string]string{
				"GET /": "* /", "GET /x": "* /", "GET /orders/": "* /orders/", "GET /orders/7": "* /orders/{id}",
				"GET /orders/new": "* /orders/new", "GET /orders/new/items": "* /orders/{id}/items",
				"GET /orders/7/x": "* /orders/", "GET /orders/7/": "* /orders/", "GET /orders/7/items/": "* /orders/",
			},
		},
		{
			"a wildcard is one segment, the rest any number", []string{"* /a/{x}", "* /b/{x...}"},
			map[string]string{
				"GET /a/1": "* /a/{x}", "GET /a/": "", "GET /a": "", "GET /a/1/": "", "GET /a/1/2": "",
				"GET /b/1": "* /b/{x...}", "GET /b/": "* /b/{x...}", "GET /b/1/2/": "* /b/{x...}", "GET /b": "* /b/{x...}",
			},
		},
		{
			"{$} is the slash alone", []string{"* /{$}", "* /a/{$}"},
			map[string]string{"GET /": "* /{$}", "GET /x": "", "GET /a/": "* /a/{$}", "GET /a": "", "GET /a/x": ""},
		},
		{
			"{$} is more specific than the subtree", []string{"* /a/{$}", "* /a/"},
			map[string]string{"GET /a/": "* /a/{$}", "GET /a/x": "* /a/", "GET /a": "* /a/"},
		},
		{
			"literals are decoded", []string{"* /%61dmin", "* /a%20b/{x}"},
			map[string]string{"GET /admin": "* /%61dmin", "GET /%61dmin": "", "GET /a b/c": "* /a%20b/{x}"},
		},
		{
			"names of wildcards mean nothing", []string{"* /{x}/{x}", "* /a/{http.request.uri.path}"},
			map[string]string{"GET /b/c": "* /{x}/{x}", "GET /a/c": "* /a/{http.request.uri.path}"},
		},
		{
			"a path that is none is not covered", []string{"* /"},
			map[string]string{"GET ": "", "OPTIONS *": "", "GET a": ""},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkMatches(t, mustRules(t, test.rules...), test.want)
		})
	}
}

func TestMatchMethods(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		rules []string
		want  map[string]string
	}{
		{
			"a method without a rule is not covered", []string{"GET,POST /a"},
			map[string]string{
				"GET /a": "GET,POST /a", "POST /a": "GET,POST /a", "PUT /a": "", "OPTIONS /a": "", "get /a": "", "TRACE /a": "", "GETX /a": "",
			},
		},
		{"GET covers HEAD", []string{"GET /a"}, map[string]string{"HEAD /a": "GET /a"}},
		{"HEAD has its own", []string{"GET /a", "HEAD /a"}, map[string]string{"HEAD /a": "HEAD /a", "GET /a": "GET /a"}},
		{"HEAD does not cover GET", []string{"HEAD /a"}, map[string]string{"HEAD /a": "HEAD /a", "GET /a": ""}},
		{"HEAD follows GET before the rule for every method", []string{"GET /a", "* /a"}, map[string]string{"HEAD /a": "GET /a", "PUT /a": "* /a"}},
		{
			"a method's own rule beats the one for every method", []string{"* /a", "DELETE /a"},
			map[string]string{"DELETE /a": "DELETE /a", "GET /a": "* /a", "PURGE /a": "* /a"},
		},
		{
			"without a rule for the method the less specific path counts", []string{"* /", "GET /a/{id}", "POST /a/new"},
			map[string]string{"POST /a/new": "POST /a/new", "GET /a/new": "GET /a/{id}", "PUT /a/new": "* /", "HEAD /a/new": "GET /a/{id}"},
		},
		{
			"overlapping paths of different methods", []string{"GET /{x}/b", "POST /a/{y}"},
			map[string]string{"GET /a/b": "GET /{x}/b", "POST /a/b": "POST /a/{y}", "PUT /a/b": ""},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkMatches(t, mustRules(t, test.rules...), test.want)
		})
	}
}

// An upstream may serve "/admin" and "/admin/" alike: what a subtree needs, its
// base needs, or a weaker rule would open the door.
func TestMatchBaseOfSubtree(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		rules []string
		want  map[string]string
	}{
		{
			"the attack: a wildcard for GET beside a subtree for every method", []string{"GET /{page}", "* /admin/"},
			map[string]string{"GET /admin": "* /admin/", "HEAD /admin": "* /admin/", "POST /admin": "* /admin/", "GET /about": "GET /{page}", "POST /about": ""},
		},
		{"the whole site beside a subtree", []string{"* /", "* /admin/"}, map[string]string{"GET /admin": "* /admin/", "GET /admin2": "* /"}},
		{"the rest of a path", []string{"* /{x}", "* /files/{rest...}"}, map[string]string{"GET /files": "* /files/{rest...}", "GET /x": "* /{x}"}},
		{
			"its own rule beats it", []string{"* /{x}", "* /admin", "* /admin/"},
			map[string]string{"GET /admin": "* /admin", "GET /admin/": "* /admin/"},
		},
		{
			"its own rule, for its methods alone", []string{"GET /admin", "* /admin/"},
			map[string]string{"GET /admin": "GET /admin", "HEAD /admin": "GET /admin", "POST /admin": "* /admin/"},
		},
		{
			"its own rule for GET covers HEAD", []string{"GET /admin", "HEAD /admin/"},
			map[string]string{"HEAD /admin": "GET /admin", "HEAD /admin/": "HEAD /admin/"},
		},
		{
			"its own rule for every method", []string{"* /admin", "GET /admin/"},
			map[string]string{"GET /admin": "* /admin", "GET /admin/": "GET /admin/"},
		},
		{
			"its own rule, whatever the wildcards are called", []string{"* /{a}", "* /{b}/"},
			map[string]string{"GET /x": "* /{a}", "GET /x/": "* /{b}/"},
		},
		{
			"for the subtree's methods alone", []string{"* /{page}", "DELETE /admin/"},
			map[string]string{"DELETE /admin": "DELETE /admin/", "GET /admin": "* /{page}"},
		},
		{
			"several methods", []string{"GET /admin/", "* /admin/{rest...}"},
			map[string]string{"GET /admin": "GET /admin/", "HEAD /admin": "GET /admin/", "PUT /admin": "* /admin/{rest...}"},
		},
		{
			"a literal beats the base of a wildcard", []string{"GET /{tenant}/", "* /login"},
			map[string]string{"GET /login": "* /login", "GET /x": "GET /{tenant}/", "GET /login/x": "GET /{tenant}/"},
		},
		{"{$} is no subtree", []string{"* /{page}", "* /admin/{$}"}, map[string]string{"GET /admin": "* /{page}"}},
		{"the base of the base", []string{"* /a/b/"}, map[string]string{"GET /a/b": "* /a/b/", "GET /a": "", "GET /a/": ""}},
		{"methods apart", []string{"GET /{x}/special/", "POST /orders/{id}"}, map[string]string{"GET /orders/special": "GET /{x}/special/", "POST /orders/special": "POST /orders/{id}"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkMatches(t, mustRules(t, test.rules...), test.want)
		})
	}
}

// The caller's slice may be used for something else afterwards.
func TestNewRulesCopies(t *testing.T) {
	t.Parallel()
	list := readRules("* /admin/")
	list[0].Scopes = token.Scopes{"admin"}
	rules, err := NewRules(list)
	if err != nil {
		t.Fatal(err)
	}
	list[0] = Rule{Public: true}
	if rule, ok := rules.Match("GET", "/admin/x"); !ok || rule.Public || !rule.Scopes.Has("admin") {
		t.Errorf("rule %+v, %v", rule, ok)
	}
}

func TestRulesNamesMethod(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rules []string
		want  bool
	}{{nil, false}, {[]string{"* /a", "* /b"}, false}, {[]string{"* /a", "POST /b"}, true}} {
		rules := mustRules(t, test.rules...)
		if rules.NamesMethod() != test.want || rules.Len() != len(test.rules) {
			t.Errorf("%q: %v, %d rules", test.rules, rules.NamesMethod(), rules.Len())
		}
	}
}
