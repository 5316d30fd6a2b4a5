package caddymodule

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

func init() { caddy.RegisterModule(new(MatchCaller)) }

// MatchCaller matches requests by what a gate has verified of their caller. It
// is for routing behind the gate, and protects nothing by itself: a request
// that no gate has judged yet is an error, also under `not`, and not a request
// without a scope.
type MatchCaller struct {
	// Scopes that the token must carry, all of them. Default: none.
	Scopes []string `json:"scopes,omitempty"`

	// The client_ids of which the caller must be one. Default: every client.
	Clients []string `json:"clients,omitempty"`

	// The issuers of which one must have issued the token. Default: every issuer.
	Issuers []string `json:"issuers,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*MatchCaller) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.matchers.oauth2", New: func() caddy.Module { return new(MatchCaller) }}
}

// UnmarshalCaddyfile reads the matcher:
//
//	oauth2 scope  <scope>...
//	oauth2 client <client_id>...
//	oauth2 issuer <url>...
//
// or several of these lines in a block, all of which must match.
func (m *MatchCaller) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	for d.Next() {
		l := readLine(d)
		lines := l.block
		if len(l.words) > 0 {
			lines = append([]line{{name: l.words[0], words: l.words[1:]}}, lines...)
		}
		if len(lines) == 0 {
			return atToken(l.name, errors.New("oauth2: missing word: expected `oauth2 scope|client|issuer <value>...`"))
		}
		marks := marks{}
		err := readBlock("oauth2", lines, []subdirective{
			{grammar: "scope <scope>...", words: atLeast(1), repeats: true, read: marks.list("scopes", &m.Scopes)},
			{grammar: "client <client_id>...", words: atLeast(1), repeats: true, read: marks.list("clients", &m.Clients)},
			{grammar: "issuer <url>...", words: atLeast(1), repeats: true, read: marks.list("issuers", &m.Issuers)},
		})
		if err != nil {
			return err
		}
		marks[""] = l.name
		if err := (checker{adapting: true}).caller(m); err != nil {
			return marks.locate(err)
		}
	}
	return nil
}

// Provision replaces placeholders and judges the values.
func (m *MatchCaller) Provision(caddy.Context) error {
	r := &resolver{repl: caddy.NewReplacer()}
	r.list("oauth2: scope", m.Scopes)
	r.list("oauth2: client", m.Clients)
	r.list("oauth2: issuer", m.Issuers)
	if r.err != nil {
		return r.err
	}
	return checker{}.caller(m)
}

// caller judges the values of a matcher.
func (c checker) caller(m *MatchCaller) error {
	root := place{label: "oauth2"}
	if len(m.Scopes)+len(m.Clients)+len(m.Issuers) == 0 {
		return root.errorf("would match every caller: expected scopes, clients or issuers")
	}
	if err := c.list(root.sub("scopes", "scope"), m.Scopes, judgeScope); err != nil {
		return err
	}
	if err := c.list(root.sub("clients", "client"), m.Clients, judgeForeignClient); err != nil {
		return err
	}
	return c.list(root.sub("issuers", "issuer"), m.Issuers, judgeIssuerURL)
}

// errNotJudged is why a route that asks for a caller cannot be chosen.
var errNotJudged = errors.New("no oauth2_gate has judged this request: expected the matcher oauth2 on routes behind a gate")

// MatchWithError tells whether the caller is as the matcher says. Where no gate
// has run before, it is an error: `not` would make "nobody looked" of it.
func (m *MatchCaller) MatchWithError(r *http.Request) (bool, error) {
	seen := callerOf(r)
	if seen == nil {
		return false, caddyhttp.Error(http.StatusInternalServerError, fmt.Errorf("matcher: %w", errNotJudged))
	}
	return seen.claims != nil && m.matches(seen.claims), nil
}

func (m *MatchCaller) matches(claims *token.Claims) bool {
	return claims.Scope.HasAll(m.Scopes) &&
		(len(m.Clients) == 0 || slices.Contains(m.Clients, claims.ClientID)) &&
		(len(m.Issuers) == 0 || slices.Contains(m.Issuers, claims.Issuer))
}

// Interface guards.
var (
	_ caddy.Provisioner                 = (*MatchCaller)(nil)
	_ caddyfile.Unmarshaler             = (*MatchCaller)(nil)
	_ caddyhttp.RequestMatcherWithError = (*MatchCaller)(nil)
)
