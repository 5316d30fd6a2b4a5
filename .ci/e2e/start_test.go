package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// At the first start keys are made while HTTP may already serve. Requests that
// come before there is one are answered, and well. Caddy starts apps in no
// order, hence several starts.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	for i := range 6 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			// RSA keys take long to make.
			c := prepare(t, algorithmCaddyfile, "BATCH_SECRET="+batchSecret, "ALG=PS256")
			c.begin(t)
			requests := []func() (answer, error){
				func() (answer, error) { return c.tokenRequest("batch", batchSecret) },
				func() (answer, error) { return c.try(http.MethodGet, "/orders", "", bearer("a.b.c")) },
				func() (answer, error) { return c.try(http.MethodGet, "/oauth2/jwks", "") },
			}
			for _, request := range requests {
				got := c.firstAnswer(t, request)
				if got.status >= 500 {
					t.Errorf("the first answer: %s", got)
				}
			}
			if got := c.get(t, "/oauth2/jwks"); got.status != 200 || len(c.keySet(t).Keys) != 1 {
				t.Errorf("key set: %s", got)
			}
		})
	}
}

// firstAnswer repeats a request until there is an answer at all.
func (c *instance) firstAnswer(t testing.TB, request func() (answer, error)) answer {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		got, err := request()
		if err == nil {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v\n%s", err, c.output)
		}
		time.Sleep(time.Millisecond)
	}
}
