package caddymodule_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A rule whose placeholder has no value, or an odd one, must not load: without
// its value `public GET /{env.FOLDER}` would open the whole site. The error
// names gate, subdirective, pattern and what is wrong.
func TestPlaceholdersInRules(t *testing.T) {
	s := newSite(t)
	t.Setenv("GATE_EMPTY", "")
	t.Setenv("GATE_FOLDER", "assets")
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ rule, value, want string }{
		{"public GET /{env.GATE_UNSET}", "", "public: /{env.GATE_UNSET}: pattern: placeholder {env.GATE_UNSET} is unknown or empty: expected"},
		{"require GET /{env.GATE_UNSET} read", "", "require: /{env.GATE_UNSET}: pattern: placeholder {env.GATE_UNSET}"},
		{"require * /x/{env.GATE_UNSET}/ read", "", "require: /x/{env.GATE_UNSET}/: pattern: "},
		{"public GET /{env.GATE_EMPTY}", "", "public: /{env.GATE_EMPTY}: pattern: placeholder {env.GATE_EMPTY}"},
		{"public GET /{file./nowhere/at/all}", "", "public: /{file./nowhere/at/all}: pattern: placeholder {file./nowhere/at/all}"},
		{"require GET /{file./nowhere/at/all} read", "", "require: /{file./nowhere/at/all}: pattern: "},
		{"public GET /{file." + empty + "}", "", "pattern: placeholder {file." + empty + "}"},
		{"public GET /{system.nonsense}", "", "pattern: placeholder {system.nonsense}"},
		{"public GET /{time.nonsense}", "", "pattern: placeholder {time.nonsense}"},
		{"public GET /{env.GATE_FOLDER}/{env.GATE_UNSET}", "", "pattern: placeholder {env.GATE_UNSET}"},

		{"public GET /{env.GATE_VALUE}", "a b", `public: rule "GET /a b": pattern: segment "a b"`},
		{"public GET /{env.GATE_VALUE}", "a\nb", "public: rule "},
		{"public GET /{env.GATE_VALUE}", "a{b", "pattern: segment"},
		{"public GET /{env.GATE_VALUE}", "{env.GATE_FOLDER}", "pattern: segment"}, // values are not resolved again
		{"public GET /{env.GATE_VALUE}", "*", `"*" is no wildcard`},
		{"public GET /{env.GATE_VALUE}", "/", "repeated_slashes"},
		{"public GET /{env.GATE_VALUE}", "..", "dot_segment"},
		{"require GET /{env.GATE_VALUE}/ read", "%2e", "dot_segment"},
		{"require GET /{env.GATE_VALUE} read", "a?b", `has no '?'`},

		{"require {env.GATE_UNSET} /x read", "", "require: /x: methods: evaluated placeholder {env.GATE_UNSET} is empty"},
		{"require GET /x {env.GATE_UNSET}", "", "require: /x: scopes: evaluated placeholder {env.GATE_UNSET} is empty"},
		{"public {env.GATE_UNSET} /x", "", "public: /x: methods: "},
		{"scopes {env.GATE_UNSET}", "", "scopes: evaluated placeholder"},
		{"realm {env.GATE_UNSET}", "", "realm: evaluated placeholder"},
		{"identity_headers A B {env.GATE_UNSET}", "", "identity_headers: evaluated placeholder"},
	} {
		t.Setenv("GATE_VALUE", c.value)
		err := s.tryLoad(batchClient, "oauth2_gate {\n "+c.rule+"\n}")
		if want := `gate for "` + s.url + `": `; err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %q: %v, want %s%s", c.rule, c.value, err, want, c.want)
		}
	}
	err := s.tryLoad(batchClient, "oauth2_gate {\n resource {env.GATE_UNSET}\n}")
	if err == nil || !strings.Contains(err.Error(), `gate for "{env.GATE_UNSET}": resource: `) {
		t.Errorf("resource: %v", err)
	}
}

// What a placeholder stands for is a part of the pattern; the braces of
// wildcards are left alone.
func TestPlaceholdersThatHaveAValue(t *testing.T) {
	s := newSite(t)
	t.Setenv("GATE_FOLDER", "assets")
	file := filepath.Join(t.TempDir(), "folder")
	if err := os.WriteFile(file, []byte("pages\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.load(batchClient, "oauth2_gate {\n public GET /{env.GATE_FOLDER}/{id}\n public GET /{file."+file+"}/{rest...}\n}")
	for path, want := range map[string]int{
		"/assets/1": 200, "/pages/a/b": 200, "/assets": 401, "/assets/1/2": 401, "/other/1": 401, "/": 401,
	} {
		s.expect(path, "", want)
	}
}
