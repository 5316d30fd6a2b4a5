package token_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

func TestParseScope(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]token.Scopes{
		"":                              nil,
		"a":                             {"a"},
		"b a":                           {"b", "a"},
		"a b a a":                       {"a", "b"},
		"a A":                           {"a", "A"},
		"read read:all reader":          {"read", "read:all", "reader"},
		"urn:opc:idm:__myscopes__":      {"urn:opc:idm:__myscopes__"},
		"https://x.example/a?b=c#d":     {"https://x.example/a?b=c#d"},
		"!#$%&'()*+,-./:;<=>?@[]^_`{|}": {"!#$%&'()*+,-./:;<=>?@[]^_`{|}"},
		"~":                             {"~"},
	} {
		if got, err := token.ParseScope(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("ParseScope(%q) = %v, %v; expected %v", text, got, err, want)
		}
	}
	// RFC 6749 section 3.3: these are not of the grammar, and are not repaired.
	for _, text := range []string{
		" ", "  ", " a", "a ", "a  b", "a\tb", "a\nb", "a\r\nX-Evil: b", "a\x00", "\x1f", "\x7f", `a"b`, `a\b`, "é", "\xff",
		"a\u00a0b", "a\u2028b", "ａ",
	} {
		got, err := token.ParseScope("ZZfirst " + text)
		if got != nil || err == nil {
			t.Errorf("ParseScope(%q) = %v, expected an error", "ZZfirst "+text, got)
		} else if strings.Contains(err.Error(), "ZZ") {
			t.Errorf("error %q quotes the text", err)
		}
		if got, err := token.ParseScope(text); got != nil || err == nil {
			t.Errorf("ParseScope(%q) = %v, expected an error", text, got)
		}
	}
}

func TestScopeSets(t *testing.T) {
	t.Parallel()
	set := token.Scopes{"read", "write"}
	for value, want := range map[string]bool{
		"read": true, "write": true, "Read": false, "read ": false, "rea": false, "reader": false, "read:all": false,
		"read write": false, "": false, "*": false,
	} {
		if set.Has(value) != want {
			t.Errorf("Has(%q) = %t", value, !want)
		}
	}
	if !set.HasAll(nil) || !set.HasAll(token.Scopes{"write", "read"}) || set.HasAll(token.Scopes{"read", "admin"}) {
		t.Error("HasAll")
	}
	if picked, ok := set.Pick(token.Scopes{"write", "read"}); !ok || !reflect.DeepEqual(picked, token.Scopes{"write", "read"}) {
		t.Error("Pick", picked, ok)
	}
	if picked, ok := set.Pick(nil); picked != nil || !ok {
		t.Error("Pick of nothing", picked, ok)
	}
	if picked, ok := set.Pick(token.Scopes{"read", "admin"}); picked != nil || ok {
		t.Error("Pick of what is not there", picked, ok)
	}
	if token.Scopes(nil).Has("") || token.Scopes(nil).HasAll(token.Scopes{"read"}) || !token.Scopes(nil).HasAll(nil) {
		t.Error("the empty set")
	}
	if got := set.Union(token.Scopes{"admin", "read", "admin"}); got.String() != "read write admin" {
		t.Errorf("Union: %q", got)
	}
	if got := set.Keep(token.Scopes{"write", "admin"}); got.String() != "write" {
		t.Errorf("Keep: %q", got)
	}
	if got := set.Keep(nil); got != nil {
		t.Errorf("Keep of nothing: %q", got)
	}
}

// A union made for one request must not show in what others hold.
func TestUnionSharesNothing(t *testing.T) {
	t.Parallel()
	shared := make(token.Scopes, 1, 10)
	shared[0] = "read"
	one, other := shared.Union(token.Scopes{"one"}), shared.Union(token.Scopes{"other"})
	if one.String() != "read one" || other.String() != "read other" || shared.String() != "read" {
		t.Errorf("%q, %q, %q", one, other, shared)
	}
}
