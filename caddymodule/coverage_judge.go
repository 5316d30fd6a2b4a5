package caddymodule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// scopesOf are the scopes that a client may have.
func (a *App) scopesOf(c *Client) token.Scopes {
	scopes := token.Scopes(c.Scopes)
	for _, role := range a.Roles {
		if slices.Contains(c.Roles, role.Name) {
			scopes = scopes.Union(role.Scopes)
		}
	}
	return scopes
}

// mayEnter tells whether tokens of the client are looked at by the gate at all.
func (a *App) mayEnter(c *Client, g *Gate) bool {
	return !c.Disabled && (len(c.Resources) == 0 || slices.Contains(c.Resources, g.Resource)) && g.gate.AllowsClient("", c.ID)
}

// passes tells whether scopes are enough for a rule.
func (r *coveredRule) passes(scopes token.Scopes) bool {
	return !r.Public && (len(r.Needs) == 0 || slices.ContainsFunc(r.Needs, scopes.HasAll))
}

// judgeRules finds rules that no client can satisfy.
func (a *App) judgeRules(found *coverage) {
	for i := range found.Gates {
		one := &found.Gates[i]
		if !slices.Contains(one.Issuers, self) {
			continue
		}
		for j := range one.Rules {
			rule := &one.Rules[j]
			rule.Clients = a.clientsFor(rule, one.gate)
			// What clients of others have is not known here.
			if rule.Public || len(one.Issuers) > 1 {
				continue
			}
			if len(rule.Clients) == 0 {
				found.find(ruleNobodyPasses, fmt.Sprintf("gate %s: %s: no client can pass%s", one.Resource, rule.name, a.lacking(rule, one.gate)))
			} else if missing := a.missing(rule, one.gate); len(missing) > 0 {
				found.warn(scopeNobodyHas, fmt.Sprintf("gate %s: %s: no client has %s", one.Resource, rule.name, strings.Join(missing, ", ")))
			}
		}
	}
}

// judgeBridges finds those that never end.
func (a *App) judgeBridges(found *coverage) {
	for _, one := range found.Gates {
		for _, bridge := range one.gate.Bridges {
			if bridge.Until == "" {
				found.warn(bridgeEndless, fmt.Sprintf("gate %s: the bridge %s has no end", one.Resource, bridge.Kind))
			}
		}
	}
}

func (a *App) clientsFor(rule *coveredRule, g *Gate) []string {
	names := []string{}
	for i := range a.Clients {
		c := &a.Clients[i]
		if a.mayEnter(c, g) && rule.passes(a.scopesOf(c)) {
			names = append(names, c.ID)
		}
	}
	return names
}

// needed are all scopes that a rule asks for, in whatever alternative.
func (r *coveredRule) needed() (needed token.Scopes) {
	for _, set := range r.Needs {
		needed = needed.Union(set)
	}
	return needed
}

// missing are those of the scopes of a rule that nobody has who comes that far.
func (a *App) missing(rule *coveredRule, g *Gate) (missing []string) {
	var had token.Scopes
	for i := range a.Clients {
		if a.mayEnter(&a.Clients[i], g) {
			had = had.Union(a.scopesOf(&a.Clients[i]))
		}
	}
	for _, scope := range rule.needed() {
		if !had.Has(scope) {
			missing = append(missing, scope+a.inRole(scope))
		}
	}
	return missing
}

// lacking says why no client passes.
func (a *App) lacking(rule *coveredRule, g *Gate) string {
	switch missing, needed := a.missing(rule, g), rule.needed(); {
	case len(missing) > 0:
		return ": none has " + strings.Join(missing, ", ")
	case len(needed) > 0:
		return ": none has " + needed.String() + " together"
	}
	return ": none is enabled, allowed and has the resource"
}

// inRole names a role that has a scope.
func (a *App) inRole(scope string) string {
	for _, role := range a.Roles {
		if slices.Contains(role.Scopes, scope) {
			return " (the role " + role.Name + " has it)"
		}
	}
	return ""
}

// judgeClients finds clients whose tokens are good for nothing here.
func (a *App) judgeClients(found *coverage) {
	own := func(one coveredGate) bool { return slices.Contains(one.Issuers, self) }
	if !slices.ContainsFunc(found.Gates, own) {
		return // the gates are elsewhere
	}
	for i := range a.Clients {
		c := &a.Clients[i]
		if c.Disabled {
			continue
		}
		if why := a.useless(c, found.Gates); why != "" {
			found.find(clientUseless, fmt.Sprintf("client %s can do nothing: %s", c.ID, why))
		}
	}
}

// useless says why a client can do nothing; empty: it can do something.
func (a *App) useless(c *Client, gates []coveredGate) string {
	why := "it has no resource of a gate, or no gate allows it"
	for i := range gates {
		one := &gates[i]
		if !slices.Contains(one.Issuers, self) || !a.mayEnter(c, one.gate) {
			continue
		}
		why = "its scopes are not enough for any rule"
		if slices.ContainsFunc(one.Rules, func(r coveredRule) bool { return r.passes(a.scopesOf(c)) }) {
			return ""
		}
	}
	return why
}

// judgeScopes finds declared scopes that nothing asks for.
func (a *App) judgeScopes(found *coverage) {
	for _, resource := range a.Resources {
		var asked token.Scopes
		for _, one := range found.Gates {
			if one.Resource != resource.Identifier {
				continue
			}
			for _, rule := range one.Rules {
				for _, set := range rule.Needs {
					asked = asked.Union(set)
				}
			}
		}
		for _, scope := range resource.Scopes {
			if !asked.Has(scope) {
				found.warn(scopeUnused, fmt.Sprintf("resource %s: no rule asks for the scope %s", resource.Identifier, scope))
			}
		}
	}
}

// judgeTrusted finds trusted issuers whose tokens pass nowhere.
func (a *App) judgeTrusted(found *coverage) {
	for _, trusted := range a.TrustedIssuers {
		taken := func(one coveredGate) bool { return slices.Contains(one.Issuers, trusted.Issuer) }
		if !slices.ContainsFunc(found.Gates, taken) {
			found.warn(issuerUnused, fmt.Sprintf("trusted_issuer %s: no gate takes its tokens", trusted.Issuer))
		}
	}
}
