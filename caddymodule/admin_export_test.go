package caddymodule

import (
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// SignExpired is a token of the client "batch" that the configuration in force could
// have issued, and that has expired.
func SignExpired(t *testing.T) string {
	t.Helper()
	app, err := activeApp()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := app.shared.ring.Signer()
	if err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-time.Hour).Unix()
	raw, err := signer.Sign(&token.Claims{
		Issuer: app.Issuer, Subject: "batch", ClientID: "batch", Audience: []string{app.Issuer}, IssuedAt: then - 60, Expires: then, ID: token.NewID(0),
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
