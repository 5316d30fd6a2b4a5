package caddymodule

import (
	"fmt"
	"slices"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/openapi"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// followDocument puts the rules of the gate's OpenAPI document in force behind
// its own ones, now and whenever the document changes.
func (g *Gate) followDocument(app *App, explicit []gate.Rule) error {
	if g.OpenAPI == "" {
		return nil
	}
	root := place{label: g.label(app)}
	known := checker{}.scope(app, checker{}.resourceOf(g, app))
	return app.watch(root.sub("openapi", "openapi").label, g.OpenAPI, func(content []byte) error {
		rules, err := openapi.Rules(content, openapi.Options{Explicit: explicit})
		if err != nil {
			return err
		}
		if err := judgeScopes(rules, known); err != nil {
			return err
		}
		return g.gate.SetRules(slices.Concat(explicit, rules))
	})
}

// judgeScopes refuses scopes that nobody can have: an operation that needs one
// would be closed without a word.
func judgeScopes(rules []gate.Rule, judge func(string) error) error {
	for _, rule := range rules {
		for _, set := range append([]token.Scopes{rule.Scopes}, rule.Alternatives...) {
			for _, scope := range set {
				if err := judge(scope); err != nil {
					return fmt.Errorf("%s: %w", rule.Origin, err)
				}
			}
		}
	}
	return nil
}
