package issuer_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// Guessing ends with 429 for that client at that address, the right secret
// included, and whether or not there is such a client (contract section 3).
func TestTooManyFailures(t *testing.T) {
	t.Parallel()
	const grant = "grant_type=client_credentials"
	good, wrong := batch(""), func(id string) *http.Request { return basic(id, "wrong", grant) }
	for _, id := range []string{"batch", "nobody", "off"} {
		s := newServer(t, func(c *issuer.Config, _ *issuer.Paths) {
			c.FailureLimit = client.FailureLimit{Count: 3, Per: time.Minute}
		})
		for range 3 {
			if w := s.do(wrong(id)); w.Code != 401 {
				t.Fatalf("%s: %d", id, w.Code)
			}
		}
		w := s.do(wrong(id))
		if got := read(t, w); w.Code != 429 || got.Error == "" || w.Header().Get("Retry-After") != "20" || w.Header().Get("WWW-Authenticate") != "" {
			t.Fatalf("%s: %d %s %v", id, w.Code, w.Body, w.Header())
		}
		if event := s.events.last(); event.Err.Reason != "too_many_failures" || event.ClientID != id {
			t.Errorf("%s: event %+v", id, event)
		}
		if id != "batch" {
			if w := s.do(batch("")); w.Code != 200 {
				t.Errorf("another client is blocked too: %d", w.Code)
			}
			continue
		}
		if w := s.do(good); w.Code != 429 {
			t.Errorf("the right secret passes: %d", w.Code)
		}
		elsewhere := httptest.NewRecorder()
		s.handlers[issuer.DefaultTokenPath](elsewhere, batch(""), issuer.Peer{Address: "192.0.2.8"})
		if elsewhere.Code != 200 {
			t.Errorf("locked out from elsewhere: %d", elsewhere.Code)
		}
	}
	// Who names no client guesses at none.
	s := newServer(t, func(c *issuer.Config, _ *issuer.Paths) {
		c.FailureLimit = client.FailureLimit{Count: 1, Per: time.Minute}
	})
	for range 3 {
		if w := s.do(form(grant)); w.Code != 401 {
			t.Errorf("nobody: %d", w.Code)
		}
	}
}

// An address that fails for many clients is answered 429 in the end; who shares
// it and is right gets a token all the same, and so does who comes from elsewhere.
func TestTooManyFailuresOfAnAddress(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(c *issuer.Config, _ *issuer.Paths) {
		c.FailureLimit = client.FailureLimit{Count: 1, Per: time.Minute}
	})
	codes := make(map[int]int)
	for i := range 60 {
		w := s.do(basic(fmt.Sprint("id", i), "wrong", grant))
		codes[w.Code]++
		if w.Code == 429 && (read(t, w).Error == "" || w.Header().Get("Retry-After") == "") {
			t.Fatalf("%s %v", w.Body, w.Header())
		}
	}
	if codes[401] != 50 || codes[429] != 10 {
		t.Fatalf("got %v", codes)
	}
	if w := s.do(form(grant)); w.Code != 429 {
		t.Errorf("who names no client: %d", w.Code)
	}
	if w := s.do(batch("")); w.Code != 200 {
		t.Errorf("who is right at the same address: %d", w.Code)
	}
	if w := s.from(issuer.Peer{Address: "192.0.2.8"}, form(grant)); w.Code != 401 {
		t.Errorf("elsewhere: %d", w.Code)
	}
}
