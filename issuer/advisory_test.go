package issuer_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// What a caller has always sent to an API, at a gate that only reports, does not
// keep it from the token endpoint; guessing there is bounded all the same.
func TestAdvisoryFailuresAreCountedApart(t *testing.T) {
	t.Parallel()
	s := bridgeServer(t, func(c *issuer.Config, _ *issuer.Paths) {
		c.FailureLimit = client.FailureLimit{Count: 2, Per: time.Minute}
		c.Advised = client.NewFailures(c.Now, nil)
	})
	advised := func(id, password string) int {
		offer := directBasic(id, password)
		offer.Advisory = true
		if _, _, refusal := s.made.Direct(t.Context(), offer); refusal != nil {
			return refusal.Status
		}
		return 200
	}
	for _, want := range []int{401, 401, 429} {
		if got := advised("batch", "an old password"); got != want {
			t.Fatalf("got %d, expected %d", got, want)
		}
	}
	if got := advised("batch", secret); got != 429 {
		t.Errorf("guessing goes on: %d", got)
	}
	if w := s.do(basic("batch", "a+secret+of+the+batch+client", "grant_type=client_credentials")); w.Code != 200 {
		t.Errorf("the token endpoint answers %d %s", w.Code, w.Body)
	}
	if _, _, refusal := s.made.Direct(t.Context(), directBasic("batch", secret)); refusal != nil {
		t.Errorf("a gate that enforces: %+v", refusal)
	}
}

// A caller that passes anyway is not kept waiting for the hashes of others: as soon
// as they keep all places busy, it is told so.
func TestAdvisoryDoesNotWait(t *testing.T) {
	t.Parallel()
	const slow = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	hashed, err := client.NewHashedSecret("", slow, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	clients := []client.Client{{ID: "slow", AllowBridge: true, Secrets: []client.Secret{hashed}, Resources: []string{ordersAPI}}}
	s := newServerOf(t, clients, func(c *issuer.Config, _ *issuer.Paths) {
		c.FailureLimit = client.FailureLimit{Count: 1_000_000, Per: time.Minute}
	})
	ctx, stop := context.WithCancel(t.Context())
	var others sync.WaitGroup
	// One of each address stands in line, and half as many are computed at once as
	// there are processors: whoever comes last has sixteen before it.
	for i := range 8 * runtime.GOMAXPROCS(0) {
		others.Go(func() {
			offer := directBasic("slow", "wrong")
			offer.Address = fmt.Sprintf("198.51.%d.%d", i/250, i%250)
			for ctx.Err() == nil {
				_, _, _ = s.made.Direct(ctx, offer)
			}
		})
	}
	offer := directBasic("slow", "wrong too")
	offer.Advisory, offer.Address = true, "192.0.2.8"
	for deadline := time.Now().Add(time.Minute); ; {
		_, _, refusal := s.made.Direct(t.Context(), offer)
		if refusal != nil && refusal.Reason == "busy" && refusal.Status == 503 {
			break
		}
		if refusal == nil || refusal.Reason != "wrong_secret" || time.Now().After(deadline) {
			t.Errorf("got %+v", refusal)
			break
		}
	}
	stop()
	others.Wait()
}
