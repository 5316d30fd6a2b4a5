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
	r.text(name+"openapi", &g.OpenAPI)
	r.list(name+"scopes", g.Scopes)
	r.list(name+"allow_clients", g.AllowClients)
	r.list(name+"issuers", g.Issuers)
	r.list(name+"bearer_methods", g.BearerMethods)
	r.clientsOf(name, g)
	for i := range g.Bridges {
		bridge := &g.Bridges[i]
		r.text(name+"bridge", &bridge.Kind)
		r.text(name+"bridge "+bridge.Kind, &bridge.Header)
		r.text(name+"bridge "+bridge.Kind+": until", &bridge.Until)
	}
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

// clientsOf resolves the clients of trusted issuers, and the issuers.
func (r *resolver) clientsOf(name string, g *Gate) {
	if g.AllowClientsOf == nil {
		return
	}
	resolved := make(map[string][]string, len(g.AllowClientsOf))
	for url, clients := range g.AllowClientsOf {
		r.text(name+"allow_clients_of", &url)
		r.list(name+"allow_clients_of "+url, clients)
		resolved[url] = append(resolved[url], clients...)
	}
	g.AllowClientsOf = resolved
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
