package caddymodule

import (
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
)

// These are the lines of the audit log that tell what operators, or time, have changed.

// keysChanged tells which signing keys have come and gone.
func (a *auditor) keysChanged(changes keys.Changes) {
	for _, id := range changes.Made {
		a.logger.Info("signing key made", zap.String("kid", id))
	}
	if changes.Signing != "" {
		a.logger.Info("signing key in use", zap.String("kid", changes.Signing))
	}
	for _, id := range changes.Forgotten {
		a.logger.Info("signing key forgotten", zap.String("kid", id))
	}
}

// keyRotated tells who had the next key made.
func (a *auditor) keyRotated(by operator, kid string) {
	a.logger.Info("signing key rotated", append(by.fields(), zap.String("kid", kid))...)
}

// keyRevoked tells who removed a key.
func (a *auditor) keyRevoked(by operator, kid string) {
	a.logger.Info("signing key revoked", append(by.fields(), zap.String("kid", kid))...)
}

// clientChanges are the messages for what is done to a client.
var clientChanges = map[string]string{
	actionAdd:          "client added",
	actionChange:       "client changed",
	actionRemove:       "client removed",
	actionAddSecret:    "secret added",
	actionRemoveSecret: "secret removed",
}

// clientChanged tells who did what to a client.
func (a *auditor) clientChanged(by operator, change *clientChange) {
	fields := append(by.fields(), zap.String("client_id", change.clientID))
	if change.secretID != "" {
		fields = append(fields, zap.String("secret_id", change.secretID))
	}
	if change.action == actionChange {
		fields = append(fields, zap.Strings("members", change.members))
	}
	a.logger.Info(clientChanges[change.action], fields...)
}

// changeRefused tells who could not do what. Since nobody may be called so, a client is
// named as those are that strangers name; empty: it was not about one.
func (a *auditor) changeRefused(by operator, action, loggableID string, refusal caddy.APIError) {
	fields := append(by.fields(), zap.String("action", action), zap.Int("status", refusal.HTTPStatus))
	if loggableID != "" {
		fields = append(fields, zap.String("client_id", loggableID))
	}
	if refusal.HTTPStatus >= http.StatusInternalServerError { // others quote what was sent: a secret, by mistake
		fields = append(fields, zap.NamedError("cause", refusal.Err))
	}
	a.logger.Info("change refused", fields...)
}

// tokenRevoked tells who had a token refused. Whose it is is not always known.
func (a *auditor) tokenRevoked(by operator, revoked *revocationAnswer) {
	fields := append(by.fields(), zap.String("jti", revoked.ID))
	if revoked.ClientID != "" {
		fields = append(fields, zap.String("client_id", revoked.ClientID))
	}
	a.logger.Info("token revoked by an operator", fields...)
}
