package gate_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Whatever is listed as enough must be, and without one of it must not.
func TestEnough(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	rules := []gate.Rule{
		{Pattern: "/all", Scopes: token.Scopes{"a", "b"}},
		{Pattern: "/any", Scopes: token.Scopes{"a", "b"}, Any: true},
		{Pattern: "/token"},
		{Pattern: "/sets", Alternatives: []token.Scopes{{"a", "b"}, {"c"}}},
	}
	g := f.gate(func(c *gate.Config) { c.Scopes, c.Rules = token.Scopes{"api"}, rules })
	for i, want := range [][]token.Scopes{{{"api", "a", "b"}}, {{"api", "a"}, {"api", "b"}}, {{"api"}}, {{"api", "a", "b"}, {"api", "c"}}} {
		sets := g.Enough(&rules[i])
		if !reflect.DeepEqual(sets, want) {
			t.Errorf("%s: got %v, want %v", rules[i].Pattern, sets, want)
		}
		for _, set := range sets {
			if v := g.Check(t.Context(), get(rules[i].Pattern, bearer(f.sign(f.claims(set...)))...)); !v.Allowed {
				t.Errorf("%s: %v is not enough: %s", rules[i].Pattern, set, v.Reason)
			}
			if v := g.Check(t.Context(), get(rules[i].Pattern, bearer(f.sign(f.claims(set[1:]...)))...)); v.Allowed {
				t.Errorf("%s: %v is more than enough", rules[i].Pattern, set)
			}
		}
	}
	if sets := g.Enough(&gate.Rule{Public: true}); sets != nil {
		t.Errorf("public: %v", sets)
	}
	if sets := f.gate().Enough(nil); sets != nil {
		t.Errorf("any token: %v", sets)
	}
	if sets := g.Enough(nil); !reflect.DeepEqual(sets, []token.Scopes{{"api"}}) {
		t.Errorf("no rules: %v", sets)
	}
}

// What a row of the report is about is found again by method and pattern.
func TestEnoughFor(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := f.gate(func(c *gate.Config) {
		c.Rules = []gate.Rule{
			{Methods: []string{"GET", "POST"}, Pattern: "/a", Scopes: token.Scopes{"read"}},
			{Methods: []string{"HEAD"}, Pattern: "/a", Scopes: token.Scopes{"head"}},
			{Methods: []string{"GET"}, Pattern: "/b", Public: true},
			{Pattern: "/c", Scopes: token.Scopes{"x", "y"}, Any: true},
		}
	})
	for _, c := range []struct {
		gate            *gate.Gate
		method, pattern string
		sets            []token.Scopes
		found           bool
	}{
		{g, "GET", "/a", []token.Scopes{{"read"}}, true}, {g, "HEAD", "/a", []token.Scopes{{"head"}}, true}, {g, "PUT", "/a", nil, false},
		{g, "HEAD", "/b", nil, true}, {g, "PUT", "/c", []token.Scopes{{"x"}, {"y"}}, true}, {g, "GET", "/d", nil, false}, {g, "GET", "", nil, false},
		{f.gate(), "GET", "", nil, true}, {f.gate(), "GET", "/a", nil, false},
	} {
		if sets, found := c.gate.EnoughFor(c.method, c.pattern); found != c.found || !reflect.DeepEqual(sets, c.sets) {
			t.Errorf("%s %q: %v %t", c.method, c.pattern, sets, found)
		}
	}
}

// A verdict tells an operator which rule and whose token it was about, also
// where the reason is another one; and claims are those of tokens that passed
// every check, and of no others.
func TestVerdictTellsWhatItWasAbout(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := f.gate(func(c *gate.Config) { c.Rules = []gate.Rule{{Pattern: "/a", Scopes: token.Scopes{"a"}}} })
	stale := f.sign(f.claims("a"))
	f.pass(10 * time.Minute)
	bound := f.claims("a")
	bound.Confirmation = &token.Confirmation{KeyThumbprint: "x"}
	elsewhere := f.claims("a")
	elsewhere.Audience = []string{"https://other.example"}
	for _, c := range []struct {
		name          string
		authorization []string
		reason        gate.Reason
		signed        bool
	}{
		{"nothing", nil, gate.ReasonNoToken, false},
		{"basic", []string{"Basic eDp5"}, gate.ReasonScheme, false},
		{"two", []string{"Bearer x", "Bearer y"}, gate.ReasonDuplicate, false},
		{"forged", bearer(stale[:len(stale)-8] + "AAAAAAAA"), gate.Reason(token.CheckSignature), false},
		{"expired", bearer(stale), gate.Reason(token.CheckExpired), true},
		{"for another", bearer(f.sign(elsewhere)), gate.Reason(token.CheckAudience), true},
		{"bound", bearer(f.sign(bound)), gate.Reason(token.CheckBound), true},
	} {
		for range 2 { // the second time, some are remembered
			for path, covered := range map[string]bool{"/a": true, "/b": false} {
				v := g.Check(t.Context(), get(path, c.authorization...))
				if v.Allowed || v.Reason != c.reason || v.Claims != nil || (v.Signed != nil) != c.signed {
					t.Errorf("%s: %+v", c.name, v)
				}
				if v.Uncovered == covered || (v.Rule != nil) != covered {
					t.Errorf("%s, %s: rule %v, uncovered %t", c.name, path, v.Rule, v.Uncovered)
				}
			}
		}
	}
	v := g.Check(t.Context(), get("/a", bearer(f.sign(f.claims("a")))...))
	if !v.Allowed || v.Signed == nil || v.Signed != v.Claims {
		t.Errorf("passes: %+v", v)
	}
	if v := f.gate().Check(t.Context(), get("/a")); v.Uncovered {
		t.Error("without rules, nothing is uncovered")
	}
}
