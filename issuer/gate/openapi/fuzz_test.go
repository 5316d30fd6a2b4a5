package openapi_test

import (
	"bytes"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/openapi"
)

// An error comes without rules; rules are such that a gate takes them, as they
// are and again. None is public unless the document holds what says so.
func FuzzRules(f *testing.F) {
	for _, example := range append(validExamples(f), brokenExamples(f)...) {
		f.Add([]byte(example.document))
	}
	f.Add([]byte(shop))
	f.Fuzz(func(t *testing.T, document []byte) {
		rules, err := openapi.Rules(document, nil)
		if err != nil {
			if rules != nil || err.Error() == "" {
				t.Fatalf("%d rules beside %q", len(rules), err)
			}
			return
		}
		if len(rules) == 0 {
			t.Fatal("neither rules nor an error")
		}
		if _, err := gate.NewRules(rules); err != nil {
			t.Fatal(err)
		}
		for _, rule := range rules {
			if rule.Public && !bytes.ContainsAny(document, "[{") {
				t.Errorf("%s is public", rule.String())
			}
			if len(rule.Methods) != 1 || rule.Origin == "" {
				t.Errorf("%+v", rule)
			}
		}
		// The operator's own rules for the same replace all of them.
		if rest, err := openapi.Rules(document, rules); err != nil || len(rest) > 0 {
			t.Errorf("%d rules are left, %v", len(rest), err)
		}
	})
}
