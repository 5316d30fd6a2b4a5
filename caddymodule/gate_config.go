package caddymodule

import (
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// config is what the gate decides by.
func (g *Gate) config(app *App) gate.Config {
	if g.Resource == "" {
		g.Resource = app.resources()[0].Identifier
	}
	config := gate.Config{
		Resource:     g.Resource,
		Scopes:       g.Scopes,
		Realm:        g.Realm,
		AllowClients: g.AllowClients,

		AllowClientsOf: g.AllowClientsOf,
		ExternalURL:    strings.TrimSuffix(g.ExternalURL, "/"),
		Proofs:         app.proofs,
		Cache:          app.cache,

		Advisory: g.ReportOnly,
	}
	for _, resource := range app.resources() {
		if resource.Identifier == g.Resource {
			config.Declared = resource.Scopes
		}
	}
	for _, url := range g.issuers() {
		if url == self {
			config.Issuers = append(config.Issuers, app.own)
			config.CertificateBound = certificateBound(app.clients)
			continue
		}
		config.Issuers = append(config.Issuers, app.trusted[url])
	}
	for _, method := range g.BearerMethods {
		config.BearerMethods = append(config.BearerMethods, gate.BearerMethod(method))
	}
	config.Bridges, config.Direct = g.bridges(), app.direct()
	for _, rule := range g.Rules {
		config.Rules = append(config.Rules, rule.build())
	}
	return config
}

// self is our own issuer among those of a gate.
const self = "self"

// issuers are those whose tokens the gate takes.
func (g *Gate) issuers() []string {
	if len(g.Issuers) == 0 {
		return []string{self}
	}
	return g.Issuers
}
