package caddymodule

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"
)

// resolve replaces the placeholders in the gate's configuration. Errors name
// the gate by its resource, which is that of the app where it has none.
func (g *Gate) resolve(repl *caddy.Replacer, a *App) error {
	r := &resolver{repl: repl}
	r.text(g.label(a)+": resource", &g.Resource)
	name := g.label(a) + ": "
	r.text(name+"realm", &g.Realm)
	r.text(name+"external_url", &g.ExternalURL)
	r.list(name+"scopes", g.Scopes)
	r.list(name+"allow_clients", g.AllowClients)
	for i := range g.Rules {
		rule := &g.Rules[i]
		written := name + rule.subdirective() + ": " + rule.Pattern
		r.pattern(written+": pattern", &rule.Pattern)
		r.list(written+": scopes", rule.Scopes)
		r.list(written+": methods", rule.Methods)
	}
	headers := &g.IdentityHeaders
	for _, header := range []*string{&headers.Client, &headers.Scope, &headers.Issuer} {
		r.text(name+"identity_headers", header)
	}
	return r.err
}

// pattern resolves the placeholders in a rule's pattern. What they stand for
// is judged as if it had been written there, so it must be there: without the
// value of `/{env.FOLDER}` the rule would be for the whole site.
func (r *resolver) pattern(name string, pattern *string) {
	if r.err != nil {
		return
	}
	resolved, err := r.repl.ReplaceFunc(*pattern, func(key string, value any) (any, error) {
		if !global(key) {
			return "{" + key + "}", nil // a wildcard
		}
		if caddy.ToString(value) == "" {
			return nil, fmt.Errorf("placeholder {%s} is unknown or empty: expected a variable that is set, or a file that can be read and is not empty", key)
		}
		return value, nil
	})
	if err != nil {
		r.err = fmt.Errorf("%s: %w", name, err)
		return
	}
	*pattern = resolved
}
