package gate

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestNewRulesRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rules   []string
		message string
	}{
		{[]string{"* /ok", "get /a"}, `rule "get /a" (line 2): method "get": expected "GET"`},
		{[]string{"GET /orders/*"}, `rule "GET /orders/*" (line 1): pattern: segment "*": "*" is no wildcard in a pattern: expected "/orders/" for the subtree`},
		{[]string{"* /a//b"}, `repeated_slashes`},

		{[]string{"GET /a", "GET /a"}, `rule "GET /a" (line 1) and rule "GET /a" (line 2) cover the same requests`},
		{[]string{"* /a", "* /a"}, `cover the same requests`},
		{[]string{"* /{x}", "* /{y}"}, `rule "* /{x}" (line 1) and rule "* /{y}" (line 2) cover the same requests`},
		{[]string{"* /a/", "* /a/{rest...}"}, `cover the same requests`},
		{[]string{"* /%61", "* /a"}, `cover the same requests`},
		{[]string{"GET,POST /a", "PUT,POST /a"}, `rule "GET,POST /a" (line 1) and rule "PUT,POST /a" (line 2) cover the same requests`},

		{[]string{"* /ok", "* /{x}/b", "GET /a/{y}"}, `rule "* /{x}/b" (line 2) and rule "GET /a/{y}" (line 3) conflict: both cover "/a/b", and neither is more specific`},
		{[]string{"* /{x}/b/", "* /a/{y...}"}, `both cover "/a/b/"`},
		{[]string{"* /a/{x}/", "* /a/{$}/"}, `expected nothing behind it`},
		{[]string{"* /{x}/{$}", "* /a/"}, `both cover "/a/"`},
		{[]string{"GET /{x}/b", "HEAD /a/{y}"}, `conflict`}, // HEAD is in both

		{[]string{"GET /", "* /index.html"}, `rule "GET /" (line 1) and rule "* /index.html" (line 2) conflict: one covers more paths and the other more methods`},
		{[]string{"GET /a/b", "HEAD /a/"}, `more methods`},

		{
			[]string{"* /{x}/special/", "* /orders/{id}"},
			`rule "* /orders/{id}" (line 2) and rule "* /{x}/special/" (line 1) conflict: both cover "/orders/special" ("/{x}/special/" is for its path without the last slash too)`,
		},
		{[]string{"GET /orders/{id}", "HEAD,PUT /{x}/special/"}, `conflict`},
		{[]string{"GET /orders/{id}", "* /{x}/special/"}, `both cover "/orders/special"`},
		{ // named is the rule that shares a method, not any with that path
			[]string{"PUT /orders/{id}", "GET /orders/{id}", "GET /{x}/special/"},
			`rule "GET /orders/{id}" (line 2) and rule "GET /{x}/special/" (line 3) conflict`,
		},
		{[]string{"* /orders/{id}", "PURGE /{x}/special/"}, `both cover "/orders/special"`},
		{[]string{"* /ok", "* /{x}/{y}/c/{rest...}", "* /a/{y}/{z}"}, `both cover "/a/x/c"`},
	}
	for _, test := range tests {
		rules := readRules(test.rules...)
		for i := range rules {
			rules[i].Origin = fmt.Sprintf("line %d", i+1)
		}
		got, err := NewRules(rules)
		if err == nil || got != nil {
			t.Errorf("%q: got %v, %v; want an error", test.rules, got, err)
			continue
		}
		if text := err.Error(); !strings.Contains(text, test.message) || strings.Contains(text, ".go:") {
			t.Errorf("%q: %q, want %q", test.rules, text, test.message)
		}
	}
}

// A process that was told to use the patterns of Go 1.21 finds no conflicts:
// the gate must not load there. GODEBUG is read at the start, so this test
// runs itself once more.
func TestNewRulesRefusesOldServeMux(t *testing.T) {
	t.Parallel()
	if os.Getenv("GATE_TEST_OLD_SERVEMUX") != "" {
		if _, err := NewRules(readRules("* /a")); err == nil || !strings.Contains(err.Error(), "httpmuxgo121") {
			t.Errorf("want an error that names the setting, got %v", err)
		}
		return
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNewRulesRefusesOldServeMux$")
	again.Env = append(os.Environ(), "GATE_TEST_OLD_SERVEMUX=1", "GODEBUG=httpmuxgo121=1")
	if output, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// The error says which rule is to blame, of two that conflict the later one and
// which is the earlier one, so that nobody has to try the rules one by one.
func TestRuleErrorIndex(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rules []string
		index int
		first int
	}{
		{[]string{"get /a"}, 0, 0},
		{[]string{"* /ok", "* /a//b", "* /ok2"}, 1, 1},
		{[]string{"* /ok", "GET /a", "* /other", "GET /a"}, 3, 1},
		{[]string{"* /{x}/b", "* /ok", "GET /a/{y}", "* /ok2"}, 2, 0},
		{[]string{"GET /", "* /index.html", "* /ok"}, 1, 0},
		{[]string{"* /{x}/special/", "* /ok", "* /orders/{id}"}, 2, 0}, // the base of the earlier one
		{[]string{"* /orders/{id}", "* /ok", "* /{x}/special/"}, 2, 0}, // and of the later one
		{[]string{"PUT /ok/", "GET /orders/{id}", "POST,GET /{x}/special/", "* /ok2"}, 2, 1},
	} {
		_, err := NewRules(readRules(test.rules...))
		var wrong *RuleError
		if !errors.As(err, &wrong) || wrong.Index != test.index || wrong.First != test.first || wrong.Err == nil {
			t.Errorf("%q: got %v, want the rule %d", test.rules, err, test.index)
		}
	}
}
