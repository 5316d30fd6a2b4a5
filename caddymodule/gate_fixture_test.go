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
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/report"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

const fixtureURL = "https://api.example"

type everyone struct{}

func (everyone) CheckToken(*token.Claims) error { return nil }
func (everyone) Generation() uint64             { return 1 }

// noProofs is for gates whose tokens are bound to nothing.
type noProofs struct{ gate.Proofs }

// fixture is the handler without a server around it.
type fixture struct {
	*Gate
	t    testing.TB
	ring *keys.Ring
	log  *observer.ObservedLogs
	seen *http.Request // what was passed on last
}

func newFixture(t testing.TB, change ...func(*gate.Config)) *fixture {
	t.Helper()
	f := newFixtureWithoutKey(t, change...)
	if _, err := f.ring.Maintain(t.Context(), keys.Config{Algorithm: token.ES256, LongestLifetime: time.Hour}); err != nil {
		t.Fatal(err)
	}
	return f
}

func newFixtureWithoutKey(t testing.TB, change ...func(*gate.Config)) *fixture {
	t.Helper()
	core, log := observer.New(zapcore.DebugLevel)
	f := &fixture{t: t, ring: keys.NewRing(store.NewMemory(), time.Now), log: log}
	own := gate.NewOwn(fixtureURL, f.ring, everyone{})
	config := gate.Config{
		Issuers: []gate.Issuer{own}, Resource: fixtureURL, Proofs: noProofs{}, Cache: gate.NewCache(),
	}
	for _, apply := range change {
		apply(&config)
	}
	made, err := gate.New(config)
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	close(started)
	f.Gate = &Gate{
		Resource: fixtureURL, gate: made, headers: newHeaderPolicy(&Gate{}, made.NamesMethod()),
		app: &App{
			logger: zap.New(core), audit: &auditor{logger: zap.New(core)}, shared: &shared{ring: f.ring, report: report.New(report.Config{})}, own: own, started: started,
		},
	}
	f.app.shared.loaded.Store(true)
	return f
}

// refusal takes what the audit log says of the only request since the last call.
func (f *fixture) refusal() map[string]any {
	f.t.Helper()
	lines := f.log.FilterMessage("request refused").All()
	f.log.TakeAll()
	if len(lines) != 1 {
		f.t.Fatalf("%d lines in the audit log", len(lines))
	}
	return lines[0].ContextMap()
}

// token is a good one of the client batch.
func (f *fixture) token(scope ...string) string {
	f.t.Helper()
	signer, err := f.ring.Signer()
	if err != nil {
		f.t.Fatal(err)
	}
	raw, err := signer.Sign(&token.Claims{
		Issuer: fixtureURL, Subject: "batch", Audience: []string{fixtureURL}, ClientID: "batch", ID: "the-jti-of-the-token",
		IssuedAt: time.Now().Unix(), Expires: time.Now().Add(time.Hour).Unix(), Scope: scope,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return raw
}

// serve sends a request through the handler, as Caddy prepares requests.
func (f *fixture) serve(r *http.Request) *httptest.ResponseRecorder {
	f.t.Helper()
	f.seen = nil
	w := httptest.NewRecorder()
	next := caddyhttp.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) error {
		f.seen = r
		return nil
	})
	if err := f.ServeHTTP(w, r, next); err != nil {
		f.t.Fatal(err)
	}
	return w
}

// prepared is a request as Caddy prepares it. No server is in its context, so
// there is no handle_errors.
func prepared(ctx context.Context, method, target, raw string) *http.Request {
	ctx = context.WithValue(ctx, caddy.ReplacerCtxKey, caddy.NewReplacer())
	ctx = context.WithValue(ctx, caddyhttp.VarsCtxKey, map[string]any{caddyhttp.ClientIPVarKey: "192.0.2.7"})
	r := httptest.NewRequest(method, target, nil)
	original := *r.URL
	ctx = context.WithValue(ctx, caddyhttp.OriginalRequestCtxKey, http.Request{Method: method, RequestURI: r.RequestURI, URL: &original})
	r = r.WithContext(ctx)
	if raw != "" {
		r.Header.Set("Authorization", "Bearer "+raw)
	}
	return r
}
