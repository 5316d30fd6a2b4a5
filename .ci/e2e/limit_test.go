package e2e

import (
	"net/http"
	"strconv"
	"testing"
)

// wantLimited checks that the answer is that of too many failures.
func (a answer) wantLimited(t testing.TB) {
	t.Helper()
	a.wantError(t, http.StatusTooManyRequests, "temporarily_unavailable")
	a.wantTokenHeaders(t)
	if seconds, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || seconds < 1 {
		t.Errorf("Retry-After: %s", a)
	}
}

func (c *instance) ask(t testing.TB, id, secret string) answer {
	t.Helper()
	got, err := c.tokenRequest(id, secret)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Guessing ends after ten attempts, for that client and address alone, and a
// reload does not make it begin again.
func TestTooManyFailures(t *testing.T) {
	t.Parallel()
	const limit = "limits {\n token_failures 10 1h\n}" // by default, one of ten lapses after six seconds
	c := launchReloadable(t, limit, otherClient)
	for _, id := range []string{"batch", "nobody"} {
		for range 10 {
			c.ask(t, id, wrongSecret).wantError(t, 401, "invalid_client")
		}
		c.ask(t, id, wrongSecret).wantLimited(t)
	}
	c.ask(t, "batch", batchSecret).wantLimited(t)
	c.ask(t, "other", batchSecret).wantStatus(t, 200)
	c.mustReload(t, reloadable(limit, otherClient+"\nclient more {\n scopes x\n}"))
	c.ask(t, "batch", batchSecret).wantLimited(t)
	c.ask(t, "nobody", wrongSecret).wantLimited(t)
	c.ask(t, "other", batchSecret).wantStatus(t, 200)
}
