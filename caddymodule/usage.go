package caddymodule

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

// This file keeps when secrets were last used. That decides nothing about any
// request: what of it cannot be read or stored is told, and stops nothing.

// lastFlush is how long the end of the process may wait for the store.
const lastFlush = 5 * time.Second

// startUsage reads what is stored, and begins to track the secrets that are new.
func (a *App) startUsage(ctx context.Context) {
	a.tellOfUsage(ctx, a.shared.usage.Load(ctx))
	a.expectSecrets()
}

// keepUsage stores what was noted, and reads what other instances have.
func (a *App) keepUsage(ctx context.Context) {
	a.expectSecrets()
	a.tellOfUsage(ctx, errors.Join(a.shared.usage.Flush(ctx), a.shared.usage.Load(ctx)))
}

// expectSecrets tracks the secrets of all clients, where one has changed. It is not
// done as soon as clients are known: `caddy validate` must write nothing.
func (a *App) expectSecrets() {
	if a.clients == nil || a.clients.Version() == a.expected {
		return
	}
	a.expected = a.clients.Version()
	for known := range a.clients.All() {
		for i := range known.Secrets {
			a.shared.usage.Expect(known.ID, known.Secrets[i].ID)
		}
	}
}

func (a *App) tellOfUsage(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		a.logger.Error("when secrets were last used is not known in full, or cannot be stored yet", zap.Error(err))
	}
}

// flushUsage stores what was noted since the last time, before the store is closed.
func (s *shared) flushUsage() error {
	ctx, cancel := context.WithTimeout(context.Background(), lastFlush)
	defer cancel()
	return s.usage.Flush(ctx)
}
