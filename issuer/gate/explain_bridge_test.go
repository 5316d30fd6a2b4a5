package gate_test

import (
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// What comes to a bridge has a step of its own, where else the token's are, and
// no step shows what it was.
func TestExplainBridge(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, test := range map[string]struct {
		request *gate.Request
		want    string
	}{
		"passes":       {keyed("/orders/7", "key"), "path passed, bridge passed, rule passed, scope passed"},
		"wrong":        {keyed("/orders/7", "wrong"), "path passed, bridge failed, rule not_reached, scope not_reached"},
		"wrong, open":  {keyed("/open", "wrong"), "path passed, bridge failed, rule not_reached, scope not_reached"},
		"twice":        {keyed("/orders/7", "key", "key"), "path passed, bridge failed, rule not_reached, scope not_reached"},
		"no scope":     {keyed("/admin/", "key"), "path passed, bridge passed, rule passed, scope failed"},
		"no rule":      {keyed("/elsewhere", "key"), "path passed, bridge passed, rule failed, scope not_reached"},
		"nothing":      {keyed("/orders/7"), "path passed, token failed, rule not_reached, scope not_reached"},
		"a public one": {keyed("/open"), "path passed, rule passed"},
	} {
		g := bridged(f, &directly{value: "key", scope: token.Scopes{"read"}, refusal: wrongSecret})
		verdict := g.Check(t.Context(), test.request)
		var got []string
		for _, step := range g.Explain(test.request, &verdict) {
			got = append(got, step.Check+" "+string(step.Result))
			if strings.Contains(step.Found, "key") && !strings.Contains(step.Found, "api_key") {
				t.Errorf("%s: %q shows a secret", name, step.Found)
			}
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s: got %s", name, strings.Join(got, ", "))
		}
	}
}
