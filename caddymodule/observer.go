package caddymodule

import (
	"context"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
)

// witness hears of every answer of the issuer's endpoints: for the audit line,
// the metrics, the trace and the events.
type witness struct{ app *App }

// Answered implements [issuer.Observer].
func (w witness) Answered(ctx context.Context, event *issuer.Event) {
	metrics.answered(event)
	w.app.audit.answered(ctx, event)
	traceAnswer(ctx, event)
	if event.Client != nil && event.SecretID != "" {
		// Also where it got nothing: it is a secret that somebody has in use.
		w.app.shared.usage.Note(event.Client.ID, event.SecretID, event.Address)
	}
	if event.Endpoint == issuer.RevocationEndpoint && event.Err == nil && event.TokenID != "" {
		w.app.emitTokenRevoked(event.ClientID, event.TokenID, byClient)
	}
}

// Interface guard.
var _ issuer.Observer = witness{}
