package caddymodule

import (
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// What else than [clientAdded] and the like may become of a client at run time.
const (
	clientAltered       = "changed"
	clientSecretAdded   = "secret_added"
	clientSecretRemoved = "secret_removed"
)

// clientChange is what an operator has done with a client.
type clientChange struct {
	what    string
	members []string // that became different
	secret  string   // the id of the secret that came or went
}

// changeOf names what is different.
func changeOf(before, after *clientSettings) clientChange {
	done := clientChange{what: clientAltered}
	for name, same := range map[string]bool{
		"name": before.Name == after.Name, "subject": before.Subject == after.Subject,
		"scopes": slices.Equal(before.Scopes, after.Scopes), "roles": slices.Equal(before.Roles, after.Roles),
		"resources": slices.Equal(before.Resources, after.Resources), "token_lifetime": before.TokenLifetime == after.TokenLifetime,
		"claims": maps.Equal(before.Claims, after.Claims), "require": before.Require == after.Require,
		"introspect": before.Introspect == after.Introspect, "allow_bridge": before.AllowBridge == after.AllowBridge,
		"disabled": before.Disabled == after.Disabled,
	} {
		if !same {
			done.members = append(done.members, name)
		}
	}
	slices.Sort(done.members)
	if before.Disabled != after.Disabled {
		done.what = clientEnabled
		if after.Disabled {
			done.what = clientDisabled
		}
	}
	return done
}

// clientChanged tells everyone who is to know what an operator has done. Keys must
// stay as long as the tokens of the client may live.
func (a *App) clientChanged(r *http.Request, record *client.Record, done clientChange) {
	a.audit.clientChanged(operatorOf(r), record.ID, done)
	a.emitClientChanged(record.ID, done.what, byOperator)
	if err := a.maintainKeys(r.Context()); err != nil {
		a.logger.Error("the signing keys could not be kept for as long as tokens of the client may live; trying again", zap.Error(err))
	}
}

func errUnknownClient(id string) error {
	return adminError(http.StatusNotFound, "there is no client %q", id)
}

func errConfigured(id string) error {
	return adminError(http.StatusConflict, "client %q is in the configuration, and is changed there", id)
}

// changeError is the answer where a change failed: what has no status of its own is
// the store's fault.
func changeError(err error) error {
	var answered caddy.APIError
	switch {
	case errors.As(err, &answered):
		return answered
	case errors.Is(err, client.ErrClientExists):
		return adminError(http.StatusConflict, "%w", err)
	case errors.Is(err, client.ErrNoClient): // removed a moment ago
		return adminError(http.StatusNotFound, "%w", err)
	}
	return adminError(http.StatusServiceUnavailable, "%w", err)
}
