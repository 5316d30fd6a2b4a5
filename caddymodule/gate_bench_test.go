package caddymodule

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// What the handler adds to a request with a known token: the verdict, headers,
// placeholders and metrics. Go's and Caddy's own work is not in it.
func BenchmarkGateHandler(b *testing.B) {
	f := newFixture(b, func(config *gate.Config) {
		config.Rules = []gate.Rule{{Methods: []string{"GET"}, Pattern: "/orders/{id}", Scopes: token.Scopes{"read"}}}
	})
	raw := f.token("read")
	next := caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil })
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		r := prepared(b.Context(), http.MethodGet, "/orders/17", raw)
		for name, value := range map[string]string{
			"User-Agent": "bench", "Accept": "*/*", "Accept-Encoding": "gzip", "X-Forwarded-For": "10.0.0.1",
		} {
			r.Header.Set(name, value)
		}
		b.StartTimer()
		if err := f.ServeHTTP(w, r, next); err != nil || r.Header.Get("X-Client-Id") != "batch" {
			b.Fatal(err, w.Body)
		}
	}
}
