package caddymodule

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

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
// Access logs show {http.auth.user.id} as user_id.
func setUser(r *http.Request, variables map[string]any, earlier, now *caller) {
	repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return
	}
	if now.claims != nil || earlier != nil && earlier.claims != nil {
		// A static value, as basic_auth sets it, would hide ours.
		repl.Delete(userPrefix + "id")
	}
	if earlier != nil {
		*earlier = *now
		return
	}
	if variables != nil {
		variables[callerVar] = now
	}
	repl.Map(now.placeholder)
}

// caller is whom the innermost gate of a request has seen. As a variable it is
// within reach of {http.vars.*}, logs and templates: it prints as nothing.
type caller struct {
	claims *token.Claims // nil: nobody
	// proved is the key that the client has proved to hold along with the token.
	proved string

	// What the gate kept from going on, for a gate further in. See [gate.Request].
	authorization, form, query, keys []string
	keyHeader                        string
}

func newCaller(facts *gate.Request, verdict *gate.Verdict) caller {
	return caller{
		claims: verdict.Claims, proved: verdict.Proved,
		authorization: facts.Authorization, form: facts.Form, query: facts.Query, keys: facts.Keys, keyHeader: facts.KeyHeader,
	}
}

// bring gives a gate further in what the request brought: that one is to judge it
// too.
func (c *caller) bring(facts *gate.Request) {
	if len(facts.Authorization) == 0 {
		facts.Authorization = c.authorization
	}
	facts.Form, facts.Query, facts.Keys, facts.KeyHeader = c.form, c.query, c.keys, c.keyHeader
	if slices.Equal(facts.Authorization, c.authorization) {
		facts.Proved = c.proved
	}
}

// String implements fmt.Stringer, which is what Caddy and zap ask for.
func (*caller) String() string { return "" }

// Format implements fmt.Formatter, for every verb.
func (*caller) Format(fmt.State, rune) {}

// callerOf returns what an earlier gate saw; nil where there was none.
func callerOf(r *http.Request) *caller { return callerIn(variablesOf(r)) }

// callerIn is [callerOf] for the variables of the request.
func callerIn(variables map[string]any) *caller {
	earlier, _ := variables[callerVar].(*caller)
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
