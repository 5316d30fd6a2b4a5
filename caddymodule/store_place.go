package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2"
)

// storedState is the state of the issuer of a configuration that is not loaded.
type storedState struct {
	*kept
	issuer   string
	identity string // of the place
}

// stateOf opens the state of the issuer that a configuration has. Of the configuration,
// nothing else is made. The caller ends it.
func stateOf(config []byte) (*storedState, error) {
	var root struct {
		Storage json.RawMessage `json:"storage"`
		Apps    struct {
			Option *App `json:"oauth2"`
		} `json:"apps"`
	}
	if err := json.Unmarshal(config, &root); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if root.Apps.Option == nil || root.Apps.Option.Issuer == "" {
		return nil, errors.New("the configuration has no issuer: expected `issuer` in the global option oauth2")
	}
	app := &App{Issuer: root.Apps.Option.Issuer, StoreRaw: root.Apps.Option.StoreRaw}
	if err := app.resolve(caddy.NewReplacer()); err != nil {
		return nil, err
	}
	ctx, err := caddy.ProvisionContext(&caddy.Config{
		StorageRaw: root.Storage,
		Logging:    &caddy.Logging{Logs: map[string]*caddy.CustomLog{caddy.DefaultLoggerName: {BaseLog: caddy.BaseLog{Level: "WARN"}}}},
	})
	if err != nil {
		return nil, err
	}
	if err := app.provisionStore(ctx); err != nil {
		return nil, err
	}
	opened, err := app.store.open(app.Issuer)
	if err != nil {
		return nil, err
	}
	return &storedState{kept: opened, issuer: app.Issuer, identity: app.store.identity()}, nil
}
