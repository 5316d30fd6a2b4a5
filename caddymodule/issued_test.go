package caddymodule

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// The gates beside an issuer know the tokens that it makes: the first request with
// one costs no signature check.
func TestGateKnowsTokensOfItsIssuer(t *testing.T) {
	t.Parallel()
	var cache *gate.Cache
	f := newFixture(t, func(c *gate.Config) { cache = c.Cache })
	f.app.cache = cache
	var seen []gate.Verdict
	f.explain = func(_ *http.Request, _ gate.Request, verdict gate.Verdict) { seen = append(seen, verdict) }
	registry, err := client.NewRegistry(nil)
	if err != nil {
		t.Fatal(err)
	}
	mint := f.app.issuerConfig(registry).Minted
	for i, made := range []bool{true, false} {
		signer, err := f.ring.Signer()
		if err != nil {
			t.Fatal(err)
		}
		claims := &token.Claims{
			Issuer: fixtureURL, Subject: "batch", Audience: []string{fixtureURL}, ClientID: "batch", ID: token.NewID(0),
			IssuedAt: time.Now().Unix(), Expires: time.Now().Add(time.Hour).Unix(),
		}
		raw, err := signer.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		if made {
			mint(raw, signer.KeyID(), claims)
		}
		f.serve(prepared(context.Background(), http.MethodGet, "/", raw))
		if len(seen) != i+1 || !seen[i].Allowed || seen[i].Fresh == made {
			t.Errorf("made here %t: %+v", made, seen[i:])
		}
	}
}
