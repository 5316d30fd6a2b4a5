package gate

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParsePattern(t *testing.T) {
	t.Parallel()
	literal := func(text string) segment { return segment{literal: text} }
	wild := segment{wild: true}
	tests := []struct {
		text     string
		segments []segment
		end      patternEnd
	}{
		{"/", nil, endSubtree},
		{"/{$}", nil, endSlash},
		{"/{rest...}", nil, endSubtree},
		{"/a", []segment{literal("a")}, endHere},
		{"/a/", []segment{literal("a")}, endSubtree},
		{"/a/{$}", []segment{literal("a")}, endSlash},
		{"/a/{rest...}", []segment{literal("a")}, endSubtree},
		{"/a/{id}/b", []segment{literal("a"), wild, literal("b")}, endHere},
		{"/{id}/{id}", []segment{wild, wild}, endHere}, // names may repeat
		{"/{order-id}/{0}", []segment{wild, wild}, endHere},
		// What the Caddyfile adapter makes of {path}, {file}, {path.0}, {re...} and {err...}.
		{"/a/{http.request.uri.path}", []segment{literal("a"), wild}, endHere},
		{"/{http.request.uri.path.file}/b", []segment{wild, literal("b")}, endHere},
		{"/{http.request.uri.path.0}/", []segment{wild}, endSubtree},
		{"/a/{http.regexp...}", []segment{literal("a")}, endSubtree},
		{"/a/{http.request.uri.path...}", []segment{literal("a")}, endSubtree},
		// Literals are decoded once, as ServeMux does.
		{"/%61dmin", []segment{literal("admin")}, endHere},
		{"/a%20b", []segment{literal("a b")}, endHere},
		{"/100%25", []segment{literal("100%")}, endHere},
		{"/%252e", []segment{literal("%2e")}, endHere},
		{"/caf%C3%A9", []segment{literal("café")}, endHere},
		{"/café", []segment{literal("café")}, endHere},
		{"/%7Bid%7D", []segment{literal("{id}")}, endHere},
		{"/v1:run/%2A", []segment{literal("v1:run"), literal("*")}, endHere},
	}
	for _, test := range tests {
		got, err := parsePattern(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
		} else if !slices.Equal(got.segments, test.segments) || got.end != test.end {
			t.Errorf("%q: got %+v", test.text, got)
		}
	}
}

// A pattern that can never match leaves its paths to a weaker rule, and so
// does one that matches something else than its author thinks.
func TestParsePatternRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, message string }{
		{"", `begins with "/"`},
		{"orders", `begins with "/"`},
		{"*", `begins with "/"`},
		{"example.com/orders", `begins with "/"`},
		{"GET /orders", `begins with "/"`},
		{" /orders", `begins with "/"`},
		{"/orders/*", `segment "*": "*" is no wildcard in a pattern: expected "/orders/" for the subtree`},
		{"/orders/**", `expected "/orders/" for the subtree`},
		{"/*", `expected "/" for the subtree`},
		{"/a/*/b", `expected "/a/{name}/b" for one segment`},
		{"/*/b/*", `expected "/{name}/b/" for the subtree`},
		{"/orders*", `segment "orders*": a pattern has no '*': write %2A`},
		{"/*.json", `%2A`},
		{"/a?b=c", `%3F`},
		{"/a#b", `%23`},
		{"/a b", `%20`},
		{"//", `repeated_slashes`},
		{"/a//b", `segment "": no request can match it`},
		{"/a//", `repeated_slashes`},
		{"/.", `dot_segment`},
		{"/a/../b", `segment "..": no request can match it: ambiguous path: dot_segment`},
		{"/a/%2e%2E/b", `dot_segment`},
		{"/a.", `trailing_dot`},
		{"/a%20", `trailing_space`},
		{"/a;v=1", `semicolon`},
		{"/a%3Bv", `semicolon`},
		{"/a%2Fb", `encoded_slash`},
		{`/a\b`, `backslash`},
		{"/a%5Cb", `backslash`},
		{"/a%00", `control`},
		{"/a\tb", `control`},
		{"/a%C2%80", `control`},
		{"/%FF", `utf8`},
		{"/\xff", `utf8`},
		{"/a%", `invalid percent-encoding`},
		{"/a%zz", `invalid percent-encoding`},
		{"/b_{x}", `whole segment`},
		{"/{x}b", `whole segment`},
		{"/{x", `whole segment`},
		{"/x}", `whole segment`},
		{"/{a/b}", `whole segment`},
		{"/{}", `with a name`},
		{"/{...}", `with a name`},
		{"/{rest..}", `with a name`},
		{"/{rest....}", `with a name`},
		{"/{$x}", `with a name`},
		{"/{$...}", `with a name`},
		{"/{x*}", `with a name`},
		{"/{id:[0-9]+}", `with a name`},
		{"/{a b}", `with a name`},
		{"/{{x}}", `with a name`},
		{"/{env.PREFIX}", `with a name`},
		{"/{$}/", `expected nothing behind it`},
		{"/{$}/a", `expected nothing behind it`},
		{"/{rest...}/", `segment "{rest...}": expected nothing behind it`},
		{"/a/{rest...}/b", `expected nothing behind it`},
	}
	for _, test := range tests {
		if got, err := parsePattern(test.text); err == nil || !strings.Contains(err.Error(), test.message) {
			t.Errorf("%q: got %+v, %v; want an error with %q", test.text, got, err, test.message)
		}
	}
}

// A pattern that is taken is one that ServeMux takes, has one spelling for it,
// and its literals are segments of paths that CheckPath lets through.
func FuzzParsePattern(f *testing.F) {
	for _, seed := range []string{
		"/", "/{$}", "/a/{id}/", "/{rest...}", "/{http.request.uri.path}", "/%61", "/a%2Fb", "/a//b", "/*", "/{x}b", "/{a}/{a...}", "/%7Bx%7D",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parsePattern(text)
		if err != nil {
			if !reflect.ValueOf(parsed).IsZero() {
				t.Fatalf("%q: an error and a pattern: %+v", text, parsed)
			}
			return
		}
		spelled := parsed.muxText()
		if !register(http.NewServeMux(), "GET "+spelled) {
			t.Fatalf("%q: ServeMux refuses %q", text, spelled)
		}
		if again, err := parsePattern(spelled); err != nil || !reflect.DeepEqual(again, parsed) {
			t.Fatalf("%q is %+v, spelled %q it is %+v (%v)", text, parsed, spelled, again, err)
		}
		for _, s := range parsed.segments {
			request := url.URL{Path: "/" + s.literal}
			if err := CheckPath(request.EscapedPath(), request.Path); err != nil && !s.wild {
				t.Fatalf("%q: no request can match %q: %v", text, s.literal, err)
			}
		}
		// Where ServeMux takes the very text, both must mean the same paths.
		if register(http.NewServeMux(), text) && !conflict(text, spelled) {
			t.Fatalf("ServeMux reads %q and %q as different patterns", text, spelled)
		}
	})
}
