package caddymodule

import (
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2"
)

// What is done at the admin endpoint but to clients, as the audit log has it.
const (
	actionRotateKey   = "rotate_key"
	actionRevokeKey   = "revoke_key"
	actionRevokeToken = "revoke_token" //nolint:gosec // a name, not a credential
)

// told has the audit log tell who could not do it: that somebody tried to revoke a key
// in vain is worth as much as that somebody did. What was done, the handler tells.
func told(action string, do adminHandler) adminHandler {
	return func(app *App, w http.ResponseWriter, r *http.Request, names []string) error {
		err := do(app, w, r, names)
		if refusal := (caddy.APIError{}); errors.As(err, &refusal) {
			app.audit.changeRefused(operatorOf(r), action, "", refusal)
		}
		return err
	}
}
