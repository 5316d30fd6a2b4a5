package caddymodule

import (
	"net/http"
	"testing"
)

// Before the first key is there, nothing passes, clients are told to come
// back, and the audit log says why, as it does of every refusal.
func TestGateWithoutAKey(t *testing.T) {
	t.Parallel()
	f := newFixtureWithoutKey(t)
	for _, raw := range []string{"", "a.b.c"} {
		w := f.serve(prepared(t.Context(), http.MethodGet, "/orders", raw))
		header := w.Header()
		if f.seen != nil || w.Code != 503 || header.Get("Retry-After") != "1" || header.Get("Cache-Control") != "no-store" ||
			w.Body.String() != `{"error":"temporarily_unavailable","error_description":"the server cannot answer now, try again"}` {
			t.Errorf("%q: %d %v %s", raw, w.Code, header, w.Body)
		}
		fields := f.refusal()
		if fields["reason"] != "not_ready" || fields["status"] != int64(503) || fields["cause"] == nil || fields["path"] != "/orders" {
			t.Errorf("got %v", fields)
		}
	}
}

// Keys are read before what says which tokens are void: a gate that has them
// alone must not judge yet, neither for nor against a token.
func TestGateBeforeAllIsRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw := f.token("read")
	f.app.shared.loaded.Store(false)
	if w := f.serve(prepared(t.Context(), http.MethodGet, "/orders", raw)); f.seen != nil || w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	f.app.shared.loaded.Store(true)
	if w := f.serve(prepared(t.Context(), http.MethodGet, "/orders", raw)); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
