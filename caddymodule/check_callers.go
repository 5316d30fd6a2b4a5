package caddymodule

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// issuers judges whose tokens a gate takes.
func (c checker) issuers(root place, g *Gate, a *App) error {
	if slices.Contains(g.issuers(), self) && a.Issuer == "" {
		return root.errorf("%w", errNoIssuer)
	}
	known := []string{self}
	for _, one := range a.TrustedIssuers {
		known = append(known, one.Issuer)
	}
	return c.list(root.sub("issuers", "issuers"), g.Issuers, c.among("issuer", known))
}

// callers judges who may pass: clients of issuers that the gate takes.
func (c checker) callers(root place, g *Gate) error {
	own := root.sub("allow_clients", "allow_clients")
	if len(g.AllowClients) > 0 && !slices.Contains(g.issuers(), self) {
		return own.errorf("names clients of our own issuer: expected `self` among the gate's issuers")
	}
	if err := c.list(own, g.AllowClients, judgeClientID); err != nil {
		return err
	}
	for _, url := range slices.Sorted(maps.Keys(g.AllowClientsOf)) {
		p := root.sub("allow_clients_of."+url, "allow_clients_of "+url)
		if url == self || !slices.Contains(g.issuers(), url) {
			return p.errorf("expected a trusted issuer that stands among the gate's `issuers`")
		}
		if len(g.AllowClientsOf[url]) == 0 {
			return p.errorf("names nobody: expected one client_id or more")
		}
		if err := c.list(p, g.AllowClientsOf[url], judgeForeignClient); err != nil {
			return err
		}
	}
	return nil
}

// judgeForeignClient accepts what can be the name of another server's client in
// a token that passes.
func judgeForeignClient(id string) error {
	outside := func(r rune) bool { return r < 0x20 || r > 0x7E }
	if id == "" || id != strings.Trim(id, " ") || strings.ContainsFunc(id, outside) {
		return fmt.Errorf("client_id %q: expected printable ASCII characters, no space at an end", id)
	}
	return nil
}
