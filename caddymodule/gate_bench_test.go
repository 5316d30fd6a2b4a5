package caddymodule

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

type everyone struct{}

func (everyone) CheckToken(*token.Claims) error { return nil }
func (everyone) Generation() uint64             { return 1 }

// What the handler adds to a request with a known token: the verdict, headers,
// placeholders and metrics. Go's and Caddy's own work is not in it.
func BenchmarkGateHandler(b *testing.B) {
	ring := keys.NewRing(store.NewMemory(), time.Now)
	if _, err := ring.Maintain(b.Context(), keys.Config{Algorithm: token.ES256, LongestLifetime: time.Hour}); err != nil {
		b.Fatal(err)
	}
	signer, err := ring.Signer()
	if err != nil {
		b.Fatal(err)
	}
	const url = "http://localhost"
	raw, err := signer.Sign(&token.Claims{
		Issuer: url, Subject: "batch", Audience: []string{url}, ClientID: "batch", ID: token.NewID(0),
		IssuedAt: time.Now().Unix(), Expires: time.Now().Add(time.Hour).Unix(), Scope: token.Scopes{"read"},
	})
	if err != nil {
		b.Fatal(err)
	}
	proofs, err := proof.NewChecker(proof.Config{Marks: store.NewMemoryMarks(0, time.Now)})
	if err != nil {
		b.Fatal(err)
	}
	made, err := gate.New(gate.Config{
		Issuers: []gate.Issuer{gate.NewOwn(url, ring, everyone{})}, Resource: url, Proofs: proofs, Cache: gate.NewCache(),
		Rules: []gate.Rule{{Methods: []string{"GET"}, Pattern: "/orders/{id}", Scopes: token.Scopes{"read"}}},
	})
	if err != nil {
		b.Fatal(err)
	}
	g := &Gate{
		app:  &App{logger: zap.NewNop(), audit: &auditor{logger: zap.NewNop()}, shared: &shared{ring: ring}},
		gate: made, headers: newHeaderPolicy(&Gate{}, true),
	}
	next := caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil })
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		r := benchRequest(b.Context(), raw)
		b.StartTimer()
		if err := g.ServeHTTP(w, r, next); err != nil || r.Header.Get("X-Client-Id") != "batch" {
			b.Fatal(err, w.Body)
		}
	}
}

func benchRequest(ctx context.Context, raw string) *http.Request {
	ctx = context.WithValue(ctx, caddy.ReplacerCtxKey, caddy.NewReplacer())
	ctx = context.WithValue(ctx, caddyhttp.VarsCtxKey, map[string]any{caddyhttp.ClientIPVarKey: "127.0.0.1"})
	r := httptest.NewRequest(http.MethodGet, "/orders/17", nil).WithContext(ctx)
	for name, value := range map[string]string{
		"Authorization": "Bearer " + raw, "User-Agent": "bench", "Accept": "*/*", "Accept-Encoding": "gzip", "X-Forwarded-For": "10.0.0.1",
	} {
		r.Header.Set(name, value)
	}
	return r
}
