package issuer_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
)

// Without what answers need, clients are told to come back, and the observer
// hears of it. A key set without keys would be remembered by those who cache it.
func TestNotReady(t *testing.T) {
	t.Parallel()
	missing := errors.New("no key")
	s := newServer(t, func(config *issuer.Config, _ *issuer.Paths) {
		config.Ready = func(context.Context) error { return missing }
	})
	for _, path := range []string{"/oauth2/token", "/oauth2/introspect", "/oauth2/revoke", "/oauth2/jwks"} {
		r := batch("token=x")
		if path == "/oauth2/jwks" {
			r = httptest.NewRequest(http.MethodGet, path, nil)
		}
		w := httptest.NewRecorder()
		s.handlers[path](w, r, issuer.Peer{Address: "192.0.2.7"})
		header := w.Header()
		if w.Code != 503 || header.Get("Retry-After") != "1" || header.Get("Cache-Control") != "no-store" || header.Get("Pragma") != "no-cache" ||
			w.Body.String() != `{"error":"temporarily_unavailable","error_description":"the server cannot answer now, try again"}` {
			t.Errorf("%s: %d %v %s", path, w.Code, header, w.Body)
		}
	}
	if len(s.events.list) != 3 {
		t.Fatalf("%d events, want one for each endpoint where clients authenticate", len(s.events.list))
	}
	for _, event := range s.events.list {
		if event.Err == nil || event.Err.Reason != "not_ready" || !errors.Is(event.Err, missing) || event.Address != "192.0.2.7" {
			t.Errorf("event %+v", event)
		}
	}
	if w := s.do(form("grant_type=%")); w.Code != 400 { // what will never do is said at once
		t.Errorf("broken form: %d", w.Code)
	}
}
