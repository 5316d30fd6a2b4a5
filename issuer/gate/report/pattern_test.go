package report

import (
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// A line that is pasted must not be a load error: the rules that its very gate has
// count, and no other gate's.
func TestSuggestBesideRules(t *testing.T) {
	t.Parallel()
	r, _ := newReport(0)
	for _, path := range []string{"/1/b", "/a/1", "/c", "/d"} {
		here, elsewhere := byClient("batch", path), byClient("batch", path)
		here.Site, elsewhere.Site = "a.example :443", "b.example :443"
		add(r, here, elsewhere)
	}
	rules := []gate.Rule{
		{Methods: []string{"GET"}, Pattern: "/a/{name}"},
		{Methods: []string{"GET", "POST"}, Pattern: "/c", Origin: "api.yaml: getC\n{$X"},
		{Pattern: "/d/"},
	}
	got := Suggest(r.Snapshot(Filter{}), current{site: "a.example :443", rules: rules})
	const why, keep = "# 1 time, last 2026-03-01T12:00:00Z: batch ", " (all these callers have these scopes: keep those that should be needed)\nrequire "
	want := "# In the oauth2_gate for https://orders.example at a.example :443:\n" +
		why + "GET /a/{} (the gate has a rule for these requests by now: `GET /a/{name}`)\n# require GET /a/{id} read\n" +
		why + "GET /c (the gate has a rule for these requests by now: `GET,POST /c` (api.yaml: getC%0A{ $X))\n# require GET /c read\n" +
		why + "GET /d" + keep + "GET /d read\n" +
		why + "GET /{}/b (conflicts with a rule that the gate has: `GET /a/{name}`)\n# require GET /{id}/b read\n" +
		"\n# In the oauth2_gate for https://orders.example at b.example :443:\n" +
		why + "GET /a/{}" + keep + "GET /a/{id} read\n" +
		why + "GET /c" + keep + "GET /c read\n" +
		why + "GET /d" + keep + "GET /d read\n" +
		why + "GET /{}/b (contradicts `GET /a/{id}` above)\n# require GET /{id}/b read\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Whatever is suggested, the rules that are not commented out can stand beside those
// that the gate has, also where many conflict; and the order decides among them.
func TestSuggestedRulesFit(t *testing.T) {
	t.Parallel()
	var rules, more, expected []gate.Rule
	for i := range 40 {
		rules = append(rules, gate.Rule{Pattern: "/" + name(i) + "/{x}"})
	}
	for i := range 60 {
		pattern := "/" + name(i) + "/y"
		if i%5 == 2 {
			pattern = "/{x}/" + name(i)
		}
		more = append(more, gate.Rule{Methods: []string{"GET"}, Pattern: pattern})
	}
	set := ruleSet{rules: rules, inForce: len(rules)}
	problems := set.fit(more)
	for i, rule := range more {
		together := append(append([]gate.Rule(nil), rules...), append(expected, rule)...)
		_, err := gate.NewRules(together)
		if (err == nil) != (problems[i] == "") {
			t.Errorf("%s: %v, and said: %q", rule.String(), err, problems[i])
		}
		if err == nil {
			expected = append(expected, rule)
		}
	}
	if len(expected) == 0 || len(expected) == len(more) || len(set.rules) != len(rules)+len(expected) {
		t.Errorf("%d of %d fit", len(expected), len(more))
	}
}
