package caddymodule

import (
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// Where nonces are asked for, there must be a secret of them before the first
// answer: without it, no client's proof could be told from a stranger's.
func TestNotCompleteWithoutNonces(t *testing.T) {
	t.Parallel()
	state := started(t, t.TempDir(), map[string]bool{})
	app := &App{shared: state, own: new(gate.Own)}
	if err := app.complete(); err != nil {
		t.Fatalf("no nonce is asked for: %v", err)
	}
	app.DPoP.Nonce = true
	if app.complete() == nil {
		t.Fatal("complete without a secret of nonces")
	}
	if err := state.nonces.Make(t.Context(), store.NewMemory()); err != nil {
		t.Fatal(err)
	}
	if err := app.complete(); err != nil {
		t.Fatal(err)
	}
}
