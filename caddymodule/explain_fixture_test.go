package caddymodule

import (
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// explainIssuer issues the tokens of these tests.
const explainIssuer = "https://api.example.com"

// stored makes a storage as a Caddy that has run leaves it, and returns its
// folder and what it signs with.
func stored(t *testing.T, clients ...string) (folder string, signer *token.Signer) {
	t.Helper()
	folder = t.TempDir()
	documents := store.OverStorage(&certmagic.FileStorage{Path: folder}, store.Prefix(explainIssuer))
	alive := make(map[string]bool)
	for _, id := range clients {
		alive[id] = true
	}
	if err := client.NewLedger(documents).Admit(t.Context(), alive); err != nil {
		t.Fatal(err)
	}
	ring := keys.NewRing(documents, time.Now)
	if _, err := ring.Maintain(t.Context(), keys.Config{Algorithm: token.ES256, LongestLifetime: time.Hour}); err != nil {
		t.Fatal(err)
	}
	made, err := ring.Signer()
	if err != nil {
		t.Fatal(err)
	}
	return folder, made
}

// explainToken is a token of the client batch with a scope and perhaps a key.
func explainToken(t *testing.T, signer *token.Signer, description string) string {
	t.Helper()
	now := time.Now()
	claims := &token.Claims{
		Issuer: explainIssuer, Subject: "batch", Audience: []string{explainIssuer}, ClientID: "batch", ID: token.NewID(0),
		IssuedAt: now.Unix(), Expires: now.Add(time.Hour).Unix(),
	}
	for word := range strings.FieldsSeq(description) {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "scope":
			claims.Scope = strings.Split(value, ",")
		case "client":
			claims.ClientID = value
		case "aud":
			claims.Audience = []string{value}
		case "jkt":
			claims.Confirmation = &token.Confirmation{KeyThumbprint: value}
		case "x5t":
			claims.Confirmation = &token.Confirmation{CertificateThumbprint: value}
		case "expired":
			claims.Expires = now.Unix() - 60
		default:
			t.Fatalf("unknown word %q", word)
		}
	}
	raw, err := signer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
