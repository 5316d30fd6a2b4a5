package caddymodule

import (
	"maps"
	"slices"
	"sync"
)

// The events that the app emits through Caddy's app `events`. docs/events.md has
// their data.
const (
	eventKeyRotated    = "oauth2_key_rotated"
	eventClientChanged = "oauth2_client_changed"
	eventTokenRevoked  = "oauth2_token_revoked" //nolint:gosec // a name, not a credential
)

// What became of a client.
const (
	clientAdded    = "added"
	clientRemoved  = "removed"
	clientEnabled  = "enabled"
	clientDisabled = "disabled"
	clientChanged  = "changed" // in another way
	secretAdded    = "secret_added"
	secretRemoved  = "secret_removed"
)

// Who did it.
const (
	byConfiguration = "configuration" // one that came into force
	byClient        = "client"        // at an endpoint
	byOperator      = "operator"      // at the admin endpoint
)

// emitKeyRotated tells that another key signs from now on.
func (a *App) emitKeyRotated(kid string) {
	a.events.emit(eventKeyRotated, map[string]any{"issuer": a.Issuer, "kid": kid})
}

// emitClientChanged tells what became of a client, and who did it, each in a word
// of a fixed set that docs/events.md has.
func (a *App) emitClientChanged(clientID, change, origin string) {
	a.events.emit(eventClientChanged, map[string]any{
		"issuer": a.Issuer, "client_id": clientID, "change": change, "origin": origin,
	})
}

// emitTokenRevoked tells that a token was revoked, and by whom. Whose it was is
// not known, and empty, where an operator named no more than its jti.
func (a *App) emitTokenRevoked(clientID, jti, origin string) {
	a.events.emit(eventTokenRevoked, map[string]any{
		"issuer": a.Issuer, "client_id": clientID, "jti": jti, "origin": origin,
	})
}

// emitConfigured tells how the clients of the configuration in force differ from
// those of the one before.
func (a *App) emitConfigured() {
	changes := a.shared.configured.replace(a.aliveClients())
	for _, id := range slices.Sorted(maps.Keys(changes)) {
		a.emitClientChanged(id, changes[id], byConfiguration)
	}
}

// configuredClients are those of the configuration that came into force last. The
// zero value has seen none: a program that starts has changed nothing.
type configuredClients struct {
	mutex sync.Mutex
	alive map[string]bool // whether each is enabled; nil: none came into force yet
}

// replace notes the clients, and returns what became of each that changed.
func (c *configuredClients) replace(alive map[string]bool) (changes map[string]string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	before := c.alive
	c.alive = alive
	changes = make(map[string]string)
	if before == nil {
		return changes
	}
	for id, enabled := range alive {
		was, known := before[id]
		switch {
		case !known:
			changes[id] = clientAdded
		case enabled && !was:
			changes[id] = clientEnabled
		case was && !enabled:
			changes[id] = clientDisabled
		}
	}
	for id := range before {
		if _, known := alive[id]; !known {
			changes[id] = clientRemoved
		}
	}
	return changes
}
