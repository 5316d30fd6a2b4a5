package caddymodule

import (
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

const (
	userPrefix   = "http.auth.user."
	claimsPrefix = "claims."
	// claimsVar is where the claims of the innermost gate stand in the
	// request's variables, so that of two gates the later one is believed.
	claimsVar = "oauth2.claims"
)

// setUser makes the placeholders {http.auth.user.*} tell of the caller. With
// nil claims those that an earlier gate set tell of nobody.
func setUser(r *http.Request, claims *token.Claims) {
	repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return
	}
	earlier := caddyhttp.GetVar(r.Context(), claimsVar)
	switch {
	case claims != nil:
		// A static value, as basic_auth sets it: access logs show it as user_id.
		repl.Set(userPrefix+"id", claims.ClientID)
	case earlier != nil:
		repl.Delete(userPrefix + "id")
	default:
		return
	}
	caddyhttp.SetVar(r.Context(), claimsVar, claims)
	if earlier != nil {
		return
	}
	ctx := r.Context()
	repl.Map(func(key string) (any, bool) {
		name, ours := strings.CutPrefix(key, userPrefix)
		current, _ := caddyhttp.GetVar(ctx, claimsVar).(*token.Claims)
		if !ours || current == nil {
			return nil, false
		}
		return userValue(current, name)
	})
}

func userValue(claims *token.Claims, name string) (any, bool) {
	switch name {
	case "scope":
		return claims.Scope.String(), true
	case "jti":
		return claims.ID, true
	case "issuer":
		return claims.Issuer, true
	}
	if claim, found := strings.CutPrefix(name, claimsPrefix); found {
		return claims.Value(claim)
	}
	return nil, false
}
