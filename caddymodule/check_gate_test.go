package caddymodule

import (
	"fmt"
	"strings"
	"testing"
)

func TestCheckGate(t *testing.T) {
	t.Parallel()
	const orders = `gate for "https://api.example.com": `
	for name, test := range map[string]struct {
		gate     Gate
		expected string
	}{
		"sound":                {Gate{Resource: "urn:stock", Scopes: []string{"stock:read"}}, ""},
		"resource":             {Gate{}, "gate: resource: needed, since several are declared"},
		"unknown resource":     {Gate{Resource: "urn:x"}, `gate for "urn:x": resource: unknown resource "urn:x"`},
		"metadata of what":     {Gate{MetadataOnly: true}, "gate: resource: needed"},
		"metadata":             {Gate{MetadataOnly: true, Resource: "urn:stock"}, ""},
		"metadata and scopes":  {Gate{MetadataOnly: true, Scopes: []string{"orders:read"}}, orders + `metadata_only: scopes beside it`},
		"metadata and rules":   {Gate{MetadataOnly: true, Rules: []Rule{{Pattern: "/"}}}, orders + `metadata_only: rules beside it`},
		"metadata and bridge":  {Gate{MetadataOnly: true, Bridges: []Bridge{{Kind: "basic"}}}, orders + `metadata_only: bridges beside it`},
		"bridge of no kind":    {Gate{Bridges: []Bridge{{}}}, orders + `bridge: "": expected basic or api_key`},
		"bridge":               {Gate{Resource: "https://api.example.com", Bridges: []Bridge{{Kind: "basic"}, {Kind: "api_key", Header: "X-Api-Key", Until: "2020-01-01"}}}, ""},
		"bridge, no day":       {Gate{Bridges: []Bridge{{Kind: "basic", Until: "2027-02-30"}}}, orders + `bridge: basic: until: "2027-02-30": expected a date`},
		"bridge, reserved":     {Gate{Bridges: []Bridge{{Kind: "api_key", Header: "x_forwarded_for"}}}, orders + `bridge: api_key: header "x_forwarded_for" has a meaning`},
		"bridge, identity":     {Gate{Bridges: []Bridge{{Kind: "api_key", Header: "X-Client-Id"}}}, orders + `bridge: api_key: header "X-Client-Id" is an identity header`},
		"bridge, identity off": {Gate{Resource: "https://api.example.com", IdentityHeaders: IdentityHeaders{Off: true}, Bridges: []Bridge{{Kind: "api_key", Header: "X-Client-Id"}}}, ""},
		"bridges of one kind":  {Gate{Bridges: []Bridge{{Kind: "basic"}, {Kind: "basic"}}}, orders + `bridge: "basic" stands twice`},
		"metadata and clients": {Gate{MetadataOnly: true, AllowClients: []string{"a"}}, orders + `metadata_only: allow_clients beside it`},
		"metadata and token":   {Gate{MetadataOnly: true, ForwardToken: true}, orders + `metadata_only: forward_token beside it`},
		"metadata and headers": {Gate{MetadataOnly: true, IdentityHeaders: IdentityHeaders{Off: true}}, orders + `metadata_only: identity_headers beside it`},
		"metadata and url":     {Gate{MetadataOnly: true, ExternalURL: "https://h"}, orders + `metadata_only: external_url beside it`},
		"metadata and realm":   {Gate{MetadataOnly: true, Realm: "r"}, orders + `metadata_only: realm beside it`},

		"scope of another": {Gate{Scopes: []string{"stock:read"}}, orders + `scopes: unknown scope "stock:read"`},
		"rule":             {Gate{Rules: []Rule{{Pattern: "/x", Scopes: []string{"x"}}}}, orders + `require: /x: unknown scope "x"`},
		"rule without":     {Gate{Rules: []Rule{{Pattern: "/x"}}}, ""},
		"public":           {Gate{Rules: []Rule{{Pattern: "/x", Public: true, Scopes: []string{"orders:read"}}}}, orders + `public: rule "* /x"`},
		"no pattern":       {Gate{Rules: []Rule{{Public: true}}}, orders + `public: rule "* "`},
		"method":           {Gate{Rules: []Rule{{Pattern: "/x", Methods: []string{"*"}}}}, orders + `require: /x: method "*"`},
		"client":           {Gate{AllowClients: []string{"a", ""}}, orders + `allow_clients: client_id ""`},
		"realm":            {Gate{Realm: "a\r\nb"}, orders + `realm: realm "a\r\nb"`},
		"header":           {Gate{IdentityHeaders: IdentityHeaders{Client: "a b"}}, orders + `identity_headers: client: header "a b"`},
		"default header":   {Gate{IdentityHeaders: IdentityHeaders{Scope: "x.client.id"}}, orders + `identity_headers: scope: header "x.client.id" stands twice`},
		"off and on":       {Gate{IdentityHeaders: IdentityHeaders{Off: true, Scope: "X"}}, orders + `identity_headers: names beside off`},
	} {
		if test.gate.Resource == "" && strings.HasPrefix(test.expected, orders) || name == "rule without" {
			test.gate.Resource = "https://api.example.com"
		}
		expectMistake(t, name, test.gate.check(soundApp()), test.expected)
	}
	expectMistake(t, "no issuer", new(Gate).check(new(App)), "gate: the global option oauth2 has no issuer")
}

// In JSON no line tells where a rule stands: its index does, and those of both where
// two conflict.
func TestRulesAreCounted(t *testing.T) {
	t.Parallel()
	fine := Rule{Methods: []string{"GET"}, Pattern: "/x"}
	for expected, rules := range map[string][]Rule{
		" (rules[1] and rules[3])": {fine, {Pattern: "/{a}/b"}, {Methods: []string{"PUT"}, Pattern: "/x"}, {Public: true, Pattern: "/a/{b}"}},
		" (rules[0] and rules[1])": {fine, fine},
		" (rules[1])":              {fine, {Pattern: "x"}},
	} {
		g := Gate{Resource: "https://api.example.com", Rules: rules}
		if err := g.check(soundApp()); err == nil || !strings.HasSuffix(err.Error(), expected) {
			t.Errorf("got %v, want ...%s", err, expected)
		}
	}
}

// Thousands of rules with a conflict among them are judged with little more work
// than without: reloads wait for it. Whichever kind it is, both rules are named.
//
// Not in parallel: it counts what is allocated.
func TestConflictAmongManyRules(t *testing.T) {
	const count = 3000
	judge := func(more ...Rule) (allocations float64, err error) {
		g := Gate{Resource: "https://api.example.com"}
		for i := range count {
			g.Rules = append(g.Rules, Rule{Methods: []string{"GET", "PUT"}, Pattern: fmt.Sprintf("/part%d/{id}", i)})
		}
		g.Rules = append(g.Rules, more...)
		allocations = testing.AllocsPerRun(1, func() { err = g.check(soundApp()) })
		return allocations, err
	}
	sound, err := judge()
	if err != nil {
		t.Fatal(err)
	}
	for name, late := range map[string]Rule{
		"same":       {Methods: []string{"GET"}, Pattern: "/part7/{x}"},
		"paths":      {Pattern: "/{x}/special"},
		"methods":    {Pattern: "/part7/x"},
		"at the end": {Methods: []string{"PUT"}, Pattern: fmt.Sprintf("/part%d/{x}", count-1)},
		"base":       {Methods: []string{"GET"}, Pattern: "/{x}/special/"},
	} {
		conflicting, err := judge(late)
		if conflicting > 3*sound {
			t.Errorf("%s: %.0f allocations, and %.0f without", name, conflicting, sound)
		}
		if err == nil || strings.Count(err.Error(), `rule "`) != 2 || !strings.Contains(err.Error(), late.Pattern) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
