package caddymodule

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// check judges the whole configuration of the app, with its placeholders
// replaced. Zero values stand for the defaults. The error names the client,
// role or resource, the subdirective, the word and what was expected.
func (a *App) check() error { return checker{}.app(a) }

func (c checker) app(a *App) error {
	root := place{}
	if a.Issuer != "" {
		if err := c.text(root.sub("issuer", "issuer"), a.Issuer, judgeIssuerURL); err != nil {
			return err
		}
	}
	if err := root.sub("token_lifetime", "token_lifetime").duration(a.TokenLifetime, judgeLifetime); err != nil {
		return err
	}
	if err := c.signing(root.sub("signing", "signing"), a.Signing); err != nil {
		return err
	}
	if err := c.limits(root.sub("limits", "limits"), a.Limits); err != nil {
		return err
	}
	if err := c.proofs(root, a); err != nil {
		return err
	}
	if err := c.list(root.sub("scope_aliases", "scope_alias"), a.ScopeAliases, judgeScope); err != nil {
		return err
	}
	if err := c.resources(a); err != nil {
		return err
	}
	if err := c.roles(a); err != nil {
		return err
	}
	if err := c.clients(a); err != nil {
		return err
	}
	return c.trusted(a)
}

func (c checker) signing(p place, s Signing) error {
	if s.Algorithm != "" {
		judge := func(name string) error {
			_, err := token.ParseAlgorithm(name)
			return err
		}
		if err := c.text(p.sub("alg", "alg"), s.Algorithm, judge); err != nil {
			return err
		}
	}
	if s.RotateEvery != 0 && s.RotateEvery != NeverRotate {
		if err := judgePeriod(time.Duration(s.RotateEvery)); err != nil {
			return p.sub("rotate_every", "rotate_every").errorf("%w, or never", err)
		}
	}
	return p.sub("publish_ahead", "publish_ahead").duration(s.PublishAhead, judgePeriod)
}

// proofs judges what is asked of assertions and DPoP proofs.
func (c checker) proofs(root place, a *App) error {
	if a.AssertionAudience != "" {
		judge := oneOf("issuer", "endpoint")
		if err := c.text(root.sub("assertion_audience", "assertion_audience"), a.AssertionAudience, judge); err != nil {
			return err
		}
	}
	return root.sub("dpop", "dpop").sub("max_age", "max_age").duration(a.DPoP.MaxAge, judgeProofAge)
}

// judgeProofAge accepts what is long enough for a request to arrive, and so
// short that the marks of used proofs stay few.
func judgeProofAge(age time.Duration) error {
	if age < time.Second || age > time.Hour || age%time.Second != 0 {
		return fmt.Errorf("%s: expected whole seconds, from 1s to 1h", age)
	}
	return nil
}

func (c checker) limits(p place, l Limits) error {
	p = p.sub("token_failures", "token_failures")
	if l.TokenFailures.Count < 0 {
		return p.errorf("%d: expected a number above 0", l.TokenFailures.Count)
	}
	return p.duration(l.TokenFailures.Duration, judgePeriod)
}

func (c checker) resources(a *App) error {
	var identifiers []string
	judge := judgeIdentifier
	if a.Issuer == "" && len(a.TrustedIssuers) > 0 { // nobody asks here for tokens, to which RFC 8707 would apply
		judge = judgeAudience
	}
	for i, resource := range a.Resources {
		p := place{label: fmt.Sprintf("resource %q", resource.Identifier)}
		p.path = fmt.Sprintf("resources[%d]", i)
		if slices.Contains(identifiers, resource.Identifier) {
			return p.errorf("stands twice: expected each resource once")
		}
		identifiers = append(identifiers, resource.Identifier)
		if err := c.text(p, resource.Identifier, judge); err != nil {
			return err
		}
		if err := c.list(p.sub("scopes", "scopes"), resource.Scopes, c.scope(a, nil)); err != nil {
			return err
		}
		if err := p.sub("token_lifetime", "token_lifetime").duration(resource.TokenLifetime, judgeLifetime); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) roles(a *App) error {
	judge := c.scope(a, a.resources())
	var names []string
	for i, role := range a.Roles {
		p := place{path: fmt.Sprintf("roles[%d]", i), label: fmt.Sprintf("role %q", role.Name)}
		if slices.Contains(names, role.Name) {
			return p.errorf("stands twice: expected each role once")
		}
		names = append(names, role.Name)
		if err := c.text(p, role.Name, judgeText); err != nil {
			return err
		}
		if len(role.Scopes) == 0 {
			return p.errorf("no scopes: expected one or more")
		}
		if err := c.list(p.sub("scopes", "scopes"), role.Scopes, judge); err != nil {
			return err
		}
	}
	return nil
}

// scope makes a judge of scope values that somebody has or needs at the
// resources. Where each of these declares its scopes, others are unknown.
func (c checker) scope(a *App, at []Resource) func(string) error {
	judge := both(judgeScope, func(value string) error {
		// A scope of the same name would be given to everyone who asks for all
		// that they have.
		if slices.Contains(a.ScopeAliases, value) {
			return fmt.Errorf("%q is a scope_alias: expected a scope", value)
		}
		return nil
	})
	var declared []string
	for _, resource := range at {
		if len(resource.Scopes) == 0 {
			return judge
		}
		declared = append(declared, resource.Scopes...)
	}
	if len(at) == 0 {
		return judge
	}
	slices.Sort(declared)
	return both(judge, c.among("scope", slices.Compact(declared)))
}

// errNoIssuer is what a handler says that cannot do without.
var errNoIssuer = errors.New("the global option oauth2 has no issuer: expected `issuer <url>` there")
