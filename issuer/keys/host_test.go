package keys

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// host is somebody else's server without a network: it answers from memory, in
// the time of a [synctest] bubble.
type host struct {
	mu    sync.Mutex
	body  string
	err   error
	delay time.Duration
	panic bool
	times []time.Time
}

func (h *host) RoundTrip(request *http.Request) (*http.Response, error) {
	h.mu.Lock()
	body, err, delay, fail := h.body, h.err, h.delay, h.panic
	h.times = append(h.times, time.Now())
	h.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
	if fail {
		panic("a bug")
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(body)), Request: request}, nil
}

// publish makes the host answer with ES256 keys of these kids.
func (h *host) publish(ids ...string) {
	keys := make([]member, 0, len(ids))
	for _, id := range ids {
		keys = append(keys, jwk(token.ES256).with("kid", id))
	}
	h.answer(setOf(keys...), nil)
}

func (h *host) answer(body string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.body, h.err = body, err
}

func (h *host) slow(delay time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.delay = delay
}

func (h *host) fetches() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.times)
}

// checkPace fails where two fetches began within one interval. The first one
// that brought a set, counted from 1, may be followed at once.
func (h *host) checkPace(t *testing.T, interval time.Duration, first int) {
	t.Helper()
	for i := 1; i < len(h.times); i++ {
		if apart := h.times[i].Sub(h.times[i-1]); apart < interval && i != first {
			t.Errorf("fetches %d and %d began %v apart", i, i+1, apart)
		}
	}
}

func newRemote(t *testing.T, h *host, report func(error)) *Remote {
	t.Helper()
	r, err := NewRemote(RemoteConfig{
		URL: "https://issuer.example/jwks?key=hidden", Client: &http.Client{Transport: h}, Report: report,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// expectFind looks for a kid, which must be found (or not) after this time.
func expectFind(t *testing.T, r *Remote, kid string, count int, after time.Duration) {
	t.Helper()
	begin := time.Now()
	found, err := r.Find(t.Context(), kid, token.ES256)
	if took := time.Since(begin); err != nil || len(found) != count || took != after {
		t.Errorf("kid %q: %d keys, %v, after %v; expected %d after %v", kid, len(found), err, took, count, after)
	}
}

func expectFailure(t *testing.T, r *Remote, kid, why string) {
	t.Helper()
	found, err := r.Find(t.Context(), kid, token.ES256)
	if found != nil || err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "hidden") {
		t.Errorf("kid %q: %v, %v; expected an error with %q", kid, found, err, why)
	}
}

// expectTooSoon looks for a kid, which must be refused without any wait.
func expectTooSoon(t *testing.T, r *Remote, kid string) {
	t.Helper()
	begin := time.Now()
	found, err := r.Find(t.Context(), kid, token.ES256)
	if took := time.Since(begin); found != nil || !errors.Is(err, ErrTooSoon) || took != 0 {
		t.Errorf("kid %q: %v, %v, after %v; expected ErrTooSoon at once", kid, found, err, took)
	}
}
