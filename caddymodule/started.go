package caddymodule

import (
	"context"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"go.uber.org/zap"
)

// startHandler hears of the event `started`, which Caddy emits when all apps
// of a configuration have started, before it stops the old one.
//
// Until then the configuration may fail, for reasons of other apps, and the
// old one goes on: what [App.Start] took from a client would be gone for nothing.
type startHandler struct{ app *App }

// watchStart has the app told when its configuration is in force, from when on it
// emits events of its own.
func (a *App) watchStart(ctx caddy.Context) error {
	module, err := ctx.App("events")
	if err != nil {
		return err
	}
	events := module.(*caddyevents.App)
	a.events = newEmitter(ctx, a.logger, events)
	return events.On("started", startHandler{a})
}

// Handle records which clients the configuration in force has.
func (h startHandler) Handle(ctx context.Context, _ caddy.Event) error {
	h.app.events.begin()
	h.app.emitConfigured()
	if err := h.app.shared.inForce(ctx, h.app.aliveClients()); err != nil {
		h.app.logger.Error("disabled and removed clients are refused, but this could not be stored; trying again", zap.Error(err))
	}
	return nil // the event is Caddy's, and goes on
}

// Interface guard.
var _ caddyevents.Handler = startHandler{}
