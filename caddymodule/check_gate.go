package caddymodule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// check judges the handler against the app, both with placeholders replaced.
// Zero values stand for the defaults.
func (g *Gate) check(a *App) error { return checker{}.gate(g, a) }

func (c checker) gate(g *Gate, a *App) error {
	root := place{label: g.label(a)}
	if err := c.issuers(root, g, a); err != nil {
		return err
	}
	if err := c.gateResource(root.sub("resource", "resource"), g, a); err != nil {
		return err
	}
	if g.MetadataOnly {
		return g.checkMetadataOnly(root)
	}
	judge := c.scope(a, c.resourceOf(g, a))
	if err := c.list(root.sub("scopes", "scopes"), g.Scopes, judge); err != nil {
		return err
	}
	if err := c.rules(root, g.Rules, judge); err != nil {
		return err
	}
	if err := c.callers(root, g); err != nil {
		return err
	}
	if err := c.list(root.sub("bearer_methods", "bearer_methods"), g.BearerMethods, oneOf("header", "body", "query")); err != nil {
		return err
	}
	if err := c.bridges(root, g); err != nil {
		return err
	}
	if err := c.identityHeaders(root.sub("identity_headers", "identity_headers"), g.IdentityHeaders); err != nil {
		return err
	}
	if g.ExternalURL != "" {
		if err := c.text(root.sub("external_url", "external_url"), g.ExternalURL, judgeOrigin); err != nil {
			return err
		}
	}
	if g.Realm == "" {
		return nil
	}
	return c.text(root.sub("realm", "realm"), g.Realm, judgeRealm)
}

// label names the gate in messages, by its resource as far as that is known.
func (g *Gate) label(a *App) string {
	identifier := g.Resource
	if all := a.resources(); identifier == "" && len(all) == 1 {
		identifier = all[0].Identifier
	}
	if identifier == "" {
		return "gate"
	}
	return fmt.Sprintf("gate for %q", identifier)
}

// checkMetadataOnly refuses what would protect something: the handler lets every
// request pass, and whoever wrote a rule there believes otherwise.
func (g *Gate) checkMetadataOnly(root place) error {
	for _, member := range []struct {
		name  string
		given bool
	}{
		{"scopes", len(g.Scopes) > 0},
		{"rules", len(g.Rules) > 0},
		{"allow_clients", len(g.AllowClients) > 0},
		{"allow_clients_of", len(g.AllowClientsOf) > 0},
		{"openapi", g.OpenAPI != ""},
		{"bridges", len(g.Bridges) > 0},
		{"report_only", g.ReportOnly},
		{"forward_token", g.ForwardToken},
		{"identity_headers", g.IdentityHeaders != IdentityHeaders{}},
		{"external_url", g.ExternalURL != ""},
		{"realm", g.Realm != ""},
	} {
		if member.given {
			return root.sub(member.name, "metadata_only").errorf("%s beside it: such a gate protects nothing, expected no member but resource, issuers and bearer_methods", member.name)
		}
	}
	return nil
}

func (c checker) gateResource(p place, g *Gate, a *App) error {
	var identifiers []string
	for _, resource := range a.resources() {
		identifiers = append(identifiers, resource.Identifier)
	}
	if g.Resource != "" {
		return c.text(p, g.Resource, c.among("resource", identifiers))
	}
	if len(identifiers) == 0 {
		return p.errorf("needed, since there is no issuer whose url it could be: expected `resource <identifier>` in the global option oauth2")
	}
	if len(identifiers) > 1 {
		return p.errorf("needed, since several are declared: expected one of %s", strings.Join(identifiers, ", "))
	}
	return nil
}

// resourceOf is the gate's resource in a list; an empty one while it is not
// known yet.
func (c checker) resourceOf(g *Gate, a *App) []Resource {
	if g.Resource == "" {
		return a.resources()
	}
	if resource, ok := c.find(g.Resource, a); ok {
		return []Resource{resource}
	}
	return nil
}

func (c checker) rules(root place, rules []Rule, judge func(string) error) error {
	for i, rule := range rules {
		p := rulePlace(root, i, rule)
		if err := c.list(p.sub("methods", rule.Pattern), rule.Methods, judgeMethod); err != nil {
			return err
		}
		if err := c.list(p.sub("scopes", rule.Pattern), rule.Scopes, judge); err != nil {
			return err
		}
	}
	return c.ruleSet(root, rules)
}

func rulePlace(root place, i int, rule Rule) place {
	return root.sub(fmt.Sprintf("rules[%d]", i), rule.subdirective())
}

// subdirective is what an operator knows the rule as.
func (r Rule) subdirective() string {
	switch {
	case r.Public:
		return "public"
	case r.Any:
		return "require_any"
	}
	return "require"
}

// ruleSet judges the rules together: patterns, methods and conflicts.
func (c checker) ruleSet(root place, rules []Rule) error {
	var (
		converted []gate.Rule
		places    []place
	)
	for i, rule := range rules {
		if c.adapting && undecided(rule) {
			continue
		}
		p := rulePlace(root, i, rule)
		places = append(places, place{path: p.path + ".pattern", label: p.label})
		converted = append(converted, rule.build())
	}
	_, err := gate.NewRules(converted)
	if err == nil {
		return nil
	}
	var wrong *gate.RuleError
	if !errors.As(err, &wrong) {
		return root.errorf("%w", err)
	}
	found := &mistake{place: places[wrong.Index], other: places[wrong.First], problem: err}
	if !c.adapting { // no line will be named
		found.problem = fmt.Errorf("%w (%s)", err, found.rules())
	}
	return found
}

// rules are those that a mistake is about, as JSON counts them.
func (m *mistake) rules() string {
	first, last := strings.TrimSuffix(m.other.path, ".pattern"), strings.TrimSuffix(m.place.path, ".pattern")
	if first == last {
		return last
	}
	return first + " and " + last
}

// undecided tells whether a rule's methods or pattern are known only when the
// configuration is loaded. Other braces in a pattern are wildcards.
func undecided(rule Rule) bool {
	return strings.Contains(strings.Join(rule.Methods, ","), "{") ||
		slices.ContainsFunc(globalPlaceholders, func(prefix string) bool { return strings.Contains(rule.Pattern, "{"+prefix) })
}

// judgeMethod accepts what clients send: methods are case-sensitive (RFC 9110
// section 9.1), and a rule for `get` would leave GET to a weaker one.
func judgeMethod(method string) error {
	if !headerToken(method) || method == "*" || method != strings.ToUpper(method) {
		return fmt.Errorf("method %q: expected upper-case names such as GET or GET,POST, or * alone", method)
	}
	return nil
}

// judgeRealm accepts what a quoted-string holds without escapes, so that every
// client reads the same realm (RFC 9110 section 11.5).
func judgeRealm(realm string) error {
	for i := range len(realm) {
		if c := realm[i]; c < 0x20 || c > 0x7E || c == '"' || c == '\\' {
			return fmt.Errorf("realm %q: expected printable ASCII characters without quote and backslash", realm)
		}
	}
	if realm == "" {
		return errors.New("empty value: expected text")
	}
	return nil
}
