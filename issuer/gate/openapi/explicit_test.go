package openapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/openapi"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

const shop = `openapi: 3.1.0
servers: [{url: /v1}]
security: [{o: [base]}]
paths:
  /orders: {get: {}, post: {}, head: {}}
  /orders/{id}: {get: {}, delete: {security: [{key: []}]}}
  /orders/{id}:cancel: {post: {}}
  /admin/users: {get: {}}
components: {securitySchemes: {o: {type: oauth2}, key: {type: apiKey}}}
`

// repairs are what an operator must say where the gate cannot read the document.
var repairs = []gate.Rule{
	{Methods: []string{"DELETE"}, Pattern: "/v1/orders/{order}", Scopes: token.Scopes{"orders:delete"}, Origin: "Caddyfile:7"},
	{Methods: []string{"POST"}, Pattern: "/v1/orders/{order}", Scopes: token.Scopes{"orders:cancel"}, Origin: "Caddyfile:8"},
}

// What the operator says of the very same requests is the only rule for them,
// and makes good what is wrong with an operation.
func TestExplicit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		explicit []gate.Rule
		want     string
	}{
		"repairs": {nil, "GET /v1/orders: base\nPOST /v1/orders: base\nHEAD /v1/orders: base\nGET /v1/orders/{id}: base\nGET /v1/admin/users: base\n"},
		"every method": {[]gate.Rule{{Pattern: "/v1/orders", Public: true}},
			"GET /v1/orders/{id}: base\nGET /v1/admin/users: base\n"},
		"one method, and HEAD after GET": {[]gate.Rule{{Methods: []string{"GET"}, Pattern: "/v1/orders"}},
			"POST /v1/orders: base\nGET /v1/orders/{id}: base\nGET /v1/admin/users: base\n"},
		"HEAD alone": {[]gate.Rule{{Methods: []string{"HEAD"}, Pattern: "/v1/orders"}},
			"GET /v1/orders: base\nPOST /v1/orders: base\nGET /v1/orders/{id}: base\nGET /v1/admin/users: base\n"},
		"a subtree": {[]gate.Rule{{Pattern: "/v1/admin/", Scopes: token.Scopes{"admin"}}},
			"GET /v1/orders: base\nPOST /v1/orders: base\nHEAD /v1/orders: base\nGET /v1/orders/{id}: base\nGET /v1/admin/users: base\n"},
	} {
		explicit := slices.Concat(repairs, test.explicit)
		rules, err := openapi.Rules([]byte(shop), explicit)
		if got := show(rules); err != nil || got != test.want {
			t.Errorf("%s: %v\n%s\nwant:\n%s", name, err, got, test.want)
		}
		if _, err := gate.NewRules(slices.Concat(explicit, rules)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if rules, err := openapi.Rules([]byte(shop), repairs[:1]); err == nil || rules != nil ||
		!strings.Contains(err.Error(), "POST /orders/{id}:cancel") {
		t.Errorf("%d rules, %v", len(rules), err)
	}
}

// Of a subtree and an operation below it the operation is the more specific.
func TestExplicitSubtree(t *testing.T) {
	t.Parallel()
	explicit := append(slices.Clone(repairs), gate.Rule{Pattern: "/v1/admin/", Scopes: token.Scopes{"admin"}})
	documented, err := openapi.Rules([]byte(shop), explicit)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := gate.NewRules(slices.Concat(explicit, documented))
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]string{
		"GET /v1/admin/users":    "base",
		"POST /v1/admin/users":   "admin",
		"GET /v1/admin/others":   "admin",
		"GET /v1/orders/7":       "base",
		"POST /v1/orders/7":      "orders:cancel",
		"PUT /v1/orders/7":       "no rule",
		"GET /v1/orders/":        "no rule",
		"GET /v1/orders/7/lines": "no rule",
		"GET /orders":            "no rule",
	} {
		method, path, _ := strings.Cut(request, " ")
		got := "no rule"
		if rule, ok := rules.Match(method, path); ok {
			got = rule.Scopes.String()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", request, got, want)
		}
	}
}

// A conflict between the two is the operator's to settle: both are named.
func TestExplicitConflict(t *testing.T) {
	t.Parallel()
	explicit := []gate.Rule{{Pattern: "/{any}/users", Public: true, Origin: "Caddyfile:9"}}
	const document = "openapi: 3.1.0\npaths: {'/admin/{id}': {get: {}}}\n"
	documented, err := openapi.Rules([]byte(document), explicit)
	if err != nil {
		t.Fatal(err)
	}
	_, err = gate.NewRules(slices.Concat(explicit, documented))
	if err == nil || !strings.Contains(err.Error(), "Caddyfile:9") || !strings.Contains(err.Error(), "openapi GET /admin/{id}") {
		t.Errorf("%v", err)
	}
}

// The gate's wildcards stand for whole segments: an operation for a part of one is
// an error, unless one for the whole needs the same.
func TestPartsOfSegments(t *testing.T) {
	t.Parallel()
	const head = "openapi: 3.1.0\ncomponents: {securitySchemes: {o: {type: oauth2}}}\npaths:\n"
	for name, test := range map[string]struct{ paths, want string }{
		"one":       {`  "/a/{id}:cancel": {post: {security: [{o: [a]}]}}`, "POST /a/{id}:cancel: a segment is more than one parameter"},
		"token":     {`  "/a/{x}.{y}/{z}": {get: {}}`, "GET /a/{x}.{y}/{z}: a segment"},
		"two alike": {"  \"/a/{id}:b\": {post: {security: [{o: [a]}]}}\n  \"/a/{id}:c\": {post: {security: [{o: [a]}]}}", "a segment is more than one parameter"},
		"two":       {"  \"/a/{id}:b\": {post: {security: [{o: [b]}]}}\n  \"/a/{id}:c\": {post: {security: [{o: [c]}]}}", "POST /a/{id}:b and POST /a/{id}:c need different scopes"},
		"a whole":   {"  \"/a/{id}:b\": {get: {security: [{o: [b]}]}}\n  \"/a/{id}\": {get: {security: [{o: [c]}]}}", "GET /a/{id} and GET /a/{id}:b need different scopes"},
		"public":    {`  "/a/{id}.css": {get: {security: []}}`, "GET /a/{id}.css: a segment"},
		"optional":  {`  "/a/{id}.css": {get: {security: [{}, {o: [a]}]}}`, "GET /a/{id}.css: a segment"},
		"same need": {"  \"/a/{id}:b\": {get: {security: [{o: [c]}]}}\n  \"/a/{id}\": {get: {security: [{o: [c]}]}}", "GET /a/{id}: c\n"},
		"query":     {`  "/a?b={id}": {get: {}}`, "GET /a?b={id}: segment"},
		"condition": {`  "/a/v{id:[0-9]}": {get: {}}`, "expected a name"},
		"same":      {"  /a/{x}: {get: {}}\n  /a/{y}: {get: {}}", "are for the same paths"},
	} {
		rules, err := openapi.Rules([]byte(head+test.paths+"\n"), nil)
		if err != nil {
			if rules != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v, want %s", name, err, test.want)
			}
		} else if got := show(rules); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
