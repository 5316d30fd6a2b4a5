package gate_test

import (
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// A token may come in each of the ways that the gate takes, and in one of them
// (RFC 6750 section 2).
func TestBearerMethods(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	good := f.sign(f.claims())
	all := []gate.BearerMethod{gate.BearerHeader, gate.BearerBody, gate.BearerQuery}
	for name, c := range map[string]struct {
		methods             []gate.BearerMethod
		header, form, query []string
		reason              gate.Reason
	}{
		"header":                      {all, bearer(good), nil, nil, gate.ReasonToken},
		"body":                        {all, nil, []string{good}, nil, gate.ReasonToken},
		"query":                       {all, nil, nil, []string{good}, gate.ReasonToken},
		"none":                        {all, nil, nil, nil, gate.ReasonNoToken},
		"header and body":             {all, bearer(good), []string{good}, nil, gate.ReasonDuplicate},
		"header and query":            {all, bearer(good), nil, []string{good}, gate.ReasonDuplicate},
		"body and query":              {all, nil, []string{good}, []string{good}, gate.ReasonDuplicate},
		"body twice":                  {all, nil, []string{good, good}, nil, gate.ReasonDuplicate},
		"query twice":                 {all, nil, nil, []string{good, ""}, gate.ReasonDuplicate},
		"two headers and a query":     {all, append(bearer(good), bearer(good)...), nil, []string{good}, gate.ReasonDuplicate},
		"empty in the query":          {all, nil, nil, []string{""}, gate.Reason(token.CheckFormat)},
		"Basic for somebody else":     {all, []string{"Basic YTpi"}, nil, []string{good}, gate.ReasonToken},
		"Basic alone":                 {all, []string{"Basic YTpi"}, nil, nil, gate.ReasonScheme},
		"the header is not looked at": {all[1:], bearer(good), nil, nil, gate.ReasonNoToken},
		"a good one beside a header that is not looked at": {all[1:], bearer("x"), []string{good}, nil, gate.ReasonToken},
	} {
		g := f.gate(func(config *gate.Config) { config.BearerMethods = c.methods })
		r := get("/", c.header...)
		r.Form, r.Query = c.form, c.query
		if verdict := g.Check(t.Context(), r); verdict.Reason != c.reason || verdict.Allowed != (c.reason == gate.ReasonToken) {
			t.Errorf("%s: %v %s", name, verdict.Allowed, verdict.Reason)
		}
	}
}
