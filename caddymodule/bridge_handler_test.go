package caddymodule

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// oneKey takes one API key, and refuses others as too many.
type oneKey string

func (k oneKey) Judge(_ context.Context, offer *gate.Offer) (*token.Claims, *gate.Refusal) {
	if offer.Value != string(k) {
		return nil, &gate.Refusal{Status: 429, Reason: "too_many_failures", RetryAfter: 1500 * time.Millisecond}
	}
	return &token.Claims{Issuer: fixtureURL, ClientID: "legacy", Audience: []string{offer.Resource}}, nil
}

// bridgeFixture is a gate with a bridge for API keys that ends a minute from
// now, by a clock that is set by hand.
func bridgeFixture(t testing.TB, now *time.Time) *fixture {
	t.Helper()
	f := newFixture(t, func(c *gate.Config) {
		c.Bridges = []gate.Bridge{{Kind: gate.BridgeAPIKey, Until: now.Add(time.Minute)}}
		c.Direct, c.Now = oneKey("key"), func() time.Time { return *now }
	})
	f.Bridges = []Bridge{{Kind: "api_key", Header: "x-api-key"}}
	f.headers = newHeaderPolicy(f.Gate, false)
	return f
}

func keyed(t testing.TB, key string) *http.Request {
	r := prepared(t.Context(), http.MethodGet, "/orders", "")
	r.Header.Set("X-Api-Key", key)
	return r
}

func TestBridgeEndsAndCounts(t *testing.T) {
	now := time.Unix(1_900_000_000, 0)
	f := bridgeFixture(t, &now)
	count := func(outcome string) float64 {
		return testutil.ToFloat64(metrics.bridged.WithLabelValues("api_key", outcome))
	}
	passed, refused := count("passed"), count("refused")
	if w := f.serve(keyed(t, "key")); w.Code != 200 || f.seen.Header.Get("X-Client-Id") != "legacy" || w.Header().Get("Sunset") == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	w := f.serve(keyed(t, "wrong"))
	if w.Code != 429 || w.Header().Get("Retry-After") != "2" || w.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if count("passed") != passed+1 || count("refused") != refused+1 {
		t.Error("not counted")
	}
	f.log.TakeAll()
	now = now.Add(time.Minute)
	if w := f.serve(keyed(t, "key")); w.Code != 401 || f.refusal()["reason"] != "bridge_ended" {
		t.Errorf("after the end: %d %s", w.Code, w.Body)
	}
}

// What a client writes in the place of a key goes nowhere, with the end of the
// body neither, and names no field away.
func TestKeyHeaderIsRemoved(t *testing.T) {
	now := time.Unix(1_900_000_000, 0)
	f := bridgeFixture(t, &now)
	r := keyed(t, "key")
	r.Header["X_API_KEY"], r.Header["x.api.key"] = []string{"key"}, []string{"key"}
	r.Header["Connection"] = []string{"X-Api-Key, close"}
	r.Trailer = http.Header{"X-Api-Key": {"key"}, "X_api_key": {"key"}}
	if w := f.serve(r); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	for name := range f.seen.Header {
		if foldsTo(name, "x-api-key") {
			t.Errorf("%s goes on", name)
		}
	}
	if len(f.seen.Trailer) > 0 || f.seen.Header.Get("Connection") != "close" {
		t.Errorf("%v %v", f.seen.Trailer, f.seen.Header)
	}
}

func BenchmarkBridge(b *testing.B) {
	now := time.Now()
	f := bridgeFixture(b, &now)
	next := caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil })
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		r := keyed(b, "key")
		b.StartTimer()
		if err := f.ServeHTTP(w, r, next); err != nil || r.Header.Get("X-Client-Id") != "legacy" {
			b.Fatal(err, w.Body)
		}
	}
}
