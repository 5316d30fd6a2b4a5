package caddymodule

import (
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"

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
		rules, err := openapi.Rules(content, explicit)
		if err != nil {
			return err
		}
		if err := judgeScopes(rules, known); err != nil {
			return err
		}
		app.warnOfOpened(explicit, rules)
		return g.gate.SetRules(slices.Concat(explicit, rules))
	})
}

// warnOfOpened tells of operations that a document makes public below a rule of
// the gate's own that needs a token. The most specific rule counts, so that this
// may be meant; but others write the document.
func (a *App) warnOfOpened(explicit, rules []gate.Rule) {
	own, err := gate.NewRules(explicit)
	if err != nil {
		return // the gate refuses them
	}
	for _, rule := range rules {
		if !rule.Public {
			continue
		}
		// What fits the pattern: a wildcard stands for a segment of any text.
		path := strings.NewReplacer("{", "", "}", "", "...", "").Replace(rule.Pattern)
		if closed, found := own.Match(rule.Methods[0], path); found && !closed.Public {
			a.logger.Warn("a document makes public what is below a rule that needs a token",
				zap.String("operation", rule.Origin), zap.String("rule", closed.Pattern))
		}
	}
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
