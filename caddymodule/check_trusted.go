package caddymodule

import (
	"fmt"
	"slices"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// trusted judges the other authorization servers.
func (c checker) trusted(a *App) error {
	var urls []string
	for i, one := range a.TrustedIssuers {
		p := place{path: fmt.Sprintf("trusted_issuers[%d]", i), label: fmt.Sprintf("trusted_issuer %q", one.Issuer)}
		switch {
		case one.Issuer == a.Issuer && a.Issuer != "":
			return p.errorf("is our own issuer: expected another one (a gate takes its tokens as `self`)")
		case slices.Contains(urls, one.Issuer):
			return p.errorf("stands twice: expected each trusted issuer once")
		}
		urls = append(urls, one.Issuer)
		if err := c.trustedIssuer(p, one); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) trustedIssuer(p place, one TrustedIssuer) error {
	if err := c.text(p, one.Issuer, judgeIssuerURL); err != nil {
		return err
	}
	if one.JWKS != "" && one.JWKSURI != "" {
		return p.sub("jwks", "jwks").errorf("stands beside jwks_uri: expected one or the other")
	}
	if one.JWKSURI != "" {
		if err := c.text(p.sub("jwks_uri", "jwks_uri"), one.JWKSURI, keys.CheckURL); err != nil {
			return err
		}
	}
	judge := func(name string) error {
		_, err := token.ParseAlgorithm(name)
		return err
	}
	if err := c.list(p.sub("algorithms", "algorithms"), one.Algorithms, judge); err != nil {
		return err
	}
	for _, value := range []struct{ word, text string }{
		{"scope_claim", one.ScopeClaim}, {"client_claim", one.ClientClaim}, {"typ", one.Type},
	} {
		if value.text == "" {
			continue
		}
		if err := c.text(p.sub(value.word, value.word), value.text, judgeText); err != nil {
			return err
		}
	}
	return nil
}
