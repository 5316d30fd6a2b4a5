package caddymodule

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// gatedRequest is a usual one, with what clients and proxies add to it.
func gatedRequest(t testing.TB, raw string) *http.Request {
	r := prepared(t.Context(), http.MethodGet, "/orders/17", raw)
	for name, value := range map[string]string{
		"User-Agent": "bench", "Accept": "*/*", "Accept-Encoding": "gzip", "X-Forwarded-For": "10.0.0.1",
	} {
		r.Header.Set(name, value)
	}
	return r
}

// newGated returns a gate that knows the token.
func newGated(t testing.TB) (f *fixture, raw string) {
	f = newFixture(t, func(config *gate.Config) {
		config.Rules = []gate.Rule{{Methods: []string{"GET"}, Pattern: "/orders/{id}", Scopes: token.Scopes{"read"}}}
	})
	return f, f.token("read")
}

var nothing = caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil })

// What the handler adds to a request with a known token: the verdict, headers,
// placeholders and metrics. Go's and Caddy's own work is not in it.
func BenchmarkGateHandler(b *testing.B) {
	f, raw := newGated(b)
	w := httptest.NewRecorder()
	// Made many at a time: starting the clock for each would cost as much as the
	// handler, and a server does not see the same request twice either.
	requests := make([]*http.Request, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		if len(requests) == 0 {
			b.StopTimer()
			for range cap(requests) {
				requests = append(requests, gatedRequest(b, raw))
			}
			b.StartTimer()
		}
		last := len(requests) - 1
		if err := f.ServeHTTP(w, requests[last], nothing); err != nil {
			b.Fatal(err, w.Body)
		}
		requests = requests[:last]
	}
}

// The usual request must stay cheap for the collector of garbage too.
func TestGateHandlerAllocations(t *testing.T) {
	f, raw := newGated(t)
	w := httptest.NewRecorder()
	const runs = 200
	requests := make([]*http.Request, 0, runs+1)
	for range runs + 1 { // the first run is not counted
		requests = append(requests, gatedRequest(t, raw))
	}
	allocations := testing.AllocsPerRun(runs, func() {
		r := requests[0]
		requests = requests[1:]
		if err := f.ServeHTTP(w, r, nothing); err != nil || w.Code != http.StatusOK {
			t.Error(err, w.Code)
		}
	})
	if allocations > 3 {
		t.Errorf("%.0f allocations for a known token, expected 3 at most", allocations)
	}
}
