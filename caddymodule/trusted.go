package caddymodule

import (
	"fmt"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// anyType is the `typ` that takes every token.
const anyType = "any"

// trustOthers makes the other authorization servers. Nothing is fetched yet.
func (a *App) trustOthers() error {
	a.trusted = make(map[string]*gate.Trusted, len(a.TrustedIssuers))
	for _, one := range a.TrustedIssuers {
		found, err := a.trustedKeys(one)
		if err != nil {
			return err
		}
		a.trusted[one.Issuer] = gate.NewTrusted(one.Issuer, one.read(), found)
	}
	return nil
}

func (a *App) trustedKeys(one TrustedIssuer) (gate.TrustedKeys, error) {
	label := func(word string) string { return fmt.Sprintf("trusted_issuer %q: %s", one.Issuer, word) }
	if one.JWKS != "" {
		return a.fileKeys(label("jwks"), one.JWKS)
	}
	remote, err := a.remoteKeys(one.JWKSURI, one.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label("jwks_uri"), err)
	}
	return remote, nil
}

// fileKeys are the keys in a file, which is read again when it changes.
func (a *App) fileKeys(owner, path string) (*keys.Held, error) {
	held := keys.NewHeld(nil)
	return held, a.watch(owner, path, func(content []byte) error {
		set, err := keys.ParseSet(content)
		if err == nil {
			held.Replace(set)
		}
		return err
	})
}

// read says how the tokens of the server are read.
func (t TrustedIssuer) read() token.Foreign {
	how := token.Foreign{
		Type: token.Type, Algorithms: token.Algorithms(),
		ScopeClaims: []string{"scope", "scp"}, ClientClaims: []string{"client_id", "azp", "sub"},
	}
	switch t.Type {
	case "":
	case anyType:
		how.Type = ""
	default:
		how.Type = strings.TrimPrefix(t.Type, "application/")
	}
	if len(t.Algorithms) > 0 {
		how.Algorithms = nil
		for _, name := range t.Algorithms {
			how.Algorithms = append(how.Algorithms, token.Algorithm(name))
		}
	}
	if t.ScopeClaim != "" {
		how.ScopeClaims = []string{t.ScopeClaim}
	}
	if t.ClientClaim != "" {
		how.ClientClaims = []string{t.ClientClaim}
	}
	return how
}
