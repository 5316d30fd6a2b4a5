package caddymodule

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

const (
	userPrefix   = "http.auth.user."
	claimsPrefix = "claims."
	// callerVar is where the caller stands in the request's variables, so that
	// of two gates the later one is believed.
	callerVar = "oauth2.caller"
)

// setUser makes the placeholders {http.auth.user.*} tell of the caller. With
// a verdict without claims, and for a claim that the token lacks, they are empty
// rather than unknown: an unknown placeholder stays as it is written in many
// places, and an API would take it for a name.
//
// What the request brought is kept for a gate further in.
func setUser(r *http.Request, passing *passage) {
	verdict, brought := &passing.verdict, &passing.facts
	claims := verdict.Claims
	repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return
	}
	ctx := r.Context()
	earlier := callerOf(r)
	switch {
	case claims != nil:
		// A static value, as basic_auth sets it: access logs show it as user_id.
		repl.Set(userPrefix+"id", claims.ClientID)
	case earlier != nil && earlier.claims != nil:
		repl.Delete(userPrefix + "id")
	}
	if earlier != nil {
		earlier.claims, earlier.brought, earlier.proved = claims, brought, verdict.Proved
		return
	}
	now := &passing.caller
	*now = caller{claims: claims, brought: brought, proved: verdict.Proved}
	caddyhttp.SetVar(ctx, callerVar, now)
	repl.Map(now.placeholder)
}

// caller is whom the innermost gate of a request has seen. As a variable it is
// within reach of {http.vars.*}, logs and templates: it prints as nothing.
type caller struct {
	claims *token.Claims // nil: nobody
	// brought has the tokens that the gate kept from going on.
	brought *gate.Request
	// proved is the key that the client has proved to hold along with it.
	proved string
}

// String implements fmt.Stringer, which is what Caddy and zap ask for.
func (*caller) String() string { return "" }

// Format implements fmt.Formatter, for every verb.
func (*caller) Format(fmt.State, rune) {}

// callerOf returns what an earlier gate saw; nil where there was none.
func callerOf(r *http.Request) *caller {
	earlier, _ := caddyhttp.GetVar(r.Context(), callerVar).(*caller)
	return earlier
}

func (c *caller) placeholder(key string) (any, bool) {
	name, ours := strings.CutPrefix(key, userPrefix)
	if !ours {
		return nil, false
	}
	if claim, found := strings.CutPrefix(name, claimsPrefix); found {
		name = claim
	} else if name = claimOf[name]; name == "" {
		return nil, false
	}
	if c.claims == nil {
		return "", true
	}
	value, _ := c.claims.Value(name)
	return value, true
}

// claimOf names the claims that have a placeholder of their own.
var claimOf = map[string]string{"id": "client_id", "scope": "scope", "jti": "jti", "issuer": "iss"}
