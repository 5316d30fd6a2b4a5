package caddymodule

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// paced is a gate beside which a known caller has just passed.
func paced(t *testing.T) *fixture {
	f := newFixture(t)
	raw := f.token("read")
	for range 2 { // the second time it is known
		f.app.pace = gate.NewPace(1)
		if w := f.serve(prepared(t.Context(), http.MethodGet, "/", raw)); w.Code != http.StatusOK {
			t.Fatal(w.Code)
		}
	}
	return f
}

// Behind a flood, a request that is refused is held, and so is one with a token
// that is new: that they are held at all, and not how fast anything is.
func TestGateHoldsWhatFloodsIt(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]func(*fixture) string{
		"no token":  func(*fixture) string { return "" },
		"a new one": func(f *fixture) string { return f.token("read") },
	} {
		// The time of a bubble passes only where something waits: else a busy machine
		// could let the known caller's moment pass.
		synctest.Test(t, func(t *testing.T) {
			f := paced(t)
			for range 10_000 {
				f.app.pace.Delay(time.Now(), new(gate.Verdict), time.Millisecond)
			}
			r := prepared(t.Context(), http.MethodGet, "/", raw(f))
			before := testutil.ToFloat64(metrics.held)
			begin := time.Now()
			f.serve(r)
			if held := time.Since(begin); held < 100*time.Millisecond {
				t.Errorf("%s: held for %s behind a flood", name, held)
			}
			if testutil.ToFloat64(metrics.held) <= before {
				t.Errorf("%s: not counted", name)
			}
		})
	}
}

// A gate that only reports holds nobody, and takes nothing of the budget.
func TestReportOnlyHoldsNobody(t *testing.T) {
	t.Parallel()
	f := paced(t)
	f.ReportOnly = true
	for range 5000 {
		f.serve(prepared(t.Context(), http.MethodGet, "/", ""))
	}
	f.ReportOnly = false
	known := gate.Verdict{Allowed: true, Reason: gate.ReasonToken}
	f.app.pace.Delay(time.Now(), &known, 0)
	if delay := f.app.pace.Delay(time.Now(), new(gate.Verdict), 0); delay != 0 {
		t.Errorf("what a gate only reports has used up %s", delay)
	}
}
