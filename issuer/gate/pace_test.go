package gate_test

import (
	"context"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

const longestHold = 250 * time.Millisecond

var (
	passed  = &gate.Verdict{Allowed: true, Reason: gate.ReasonToken}
	fresh   = &gate.Verdict{Allowed: true, Reason: gate.ReasonToken, Fresh: true}
	refused = &gate.Verdict{Reason: gate.ReasonNoToken}
)

// floodFor sends verdicts as fast as ten connections can that are held, for a
// second, beside favoured requests where there are some, and returns how many.
func floodFor(pace *gate.Pace, verdict *gate.Verdict, took time.Duration, beside bool) (count int) {
	now := time.Unix(1_800_000_000, 0)
	end := now.Add(time.Second)
	ready := make([]time.Time, 10) // when each connection sends again
	for i := range ready {
		ready[i] = now
	}
	for ; now.Before(end); now = now.Add(100 * time.Microsecond) {
		if beside {
			pace.Delay(now, passed, took)
		}
		for i := range ready {
			if !ready[i].After(now) {
				ready[i] = now.Add(took + pace.Delay(now, verdict, took))
				count++
			}
		}
	}
	return count
}

// A flood has a quarter of the processors beside others, and all where there are
// none: a second of it is 0.25 s, and 0.25 s that it may take at once.
func TestPaceBoundsFloods(t *testing.T) {
	t.Parallel()
	for name, verdict := range map[string]*gate.Verdict{"refused": refused, "tokens that are new": fresh} {
		for took, atMost := range map[time.Duration]int{
			0:                      500_000 / 150,
			100 * time.Microsecond: 500_000 / 250,
			900 * time.Microsecond: 500_000 / 1050,
			time.Minute:            500_000 / 1150, // one that waited for keys
		} {
			got := floodFor(gate.NewPace(1), verdict, took, true)
			if got > atMost+10 || took < time.Second && got < atMost/2 {
				t.Errorf("%s, %s each: %d beside others, expected at most %d and not far below", name, took, got, atMost)
			}
		}
		alone, beside := floodFor(gate.NewPace(1), verdict, 100*time.Microsecond, false), floodFor(gate.NewPace(1), verdict, 100*time.Microsecond, true)
		if alone < 10*beside {
			t.Errorf("%s: %d where nobody else comes, %d beside others", name, alone, beside)
		}
		one, four := floodFor(gate.NewPace(1), verdict, 100*time.Microsecond, true), floodFor(gate.NewPace(4), verdict, 100*time.Microsecond, true)
		if four < 3*one || four > 5*one {
			t.Errorf("%s: %d with four processors, %d with one", name, four, one)
		}
	}
}

// Whom the gate knows is never held, however much is going on; who is held is so
// for a moment, also where thousands wait.
func TestPaceHolds(t *testing.T) {
	t.Parallel()
	pace, now := gate.NewPace(1), time.Unix(1_800_000_000, 0)
	for range 100_000 {
		if delay := pace.Delay(now, passed, time.Second); delay != 0 {
			t.Fatalf("a known caller is held for %s", delay)
		}
		if delay := pace.Delay(now, refused, time.Millisecond); delay < 0 || delay > longestHold {
			t.Fatalf("held for %s", delay)
		}
	}
	if delay := pace.Delay(now, fresh, 0); delay < longestHold*9/10 {
		t.Errorf("held for %s behind a flood, expected %s", delay, longestHold)
	}
	// Those who were held for the longest time have not used the budget of others up.
	if delay := pace.Delay(now.Add(50*time.Millisecond), fresh, 0); delay > longestHold-40*time.Millisecond {
		t.Errorf("held for %s a moment after the flood", delay)
	}
	if delay := pace.Delay(now.Add(time.Second), fresh, 0); delay != 0 {
		t.Errorf("held for %s a second after the flood", delay)
	}
	var none *gate.Pace
	if delay := none.Delay(now, refused, time.Second); delay != 0 {
		t.Errorf("no pace at all holds for %s", delay)
	}
}

// Who has gone is not waited for.
func TestHoldEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ended := make(chan struct{})
	go func() {
		gate.Hold(ctx, time.Hour)
		gate.Hold(t.Context(), 0)
		gate.Hold(t.Context(), time.Microsecond)
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("still held")
	}
}

// A token is new once.
func TestFresh(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g, request := f.gate(), get("/", bearer(f.sign(f.claims()))...)
	for i, want := range []bool{true, false, false} {
		if verdict := g.Check(t.Context(), request); !verdict.Allowed || verdict.Fresh != want {
			t.Errorf("time %d: allowed %t, fresh %t", i, verdict.Allowed, verdict.Fresh)
		}
	}
	f.keys.make(t, "k2", "EdDSA") // what is verified again costs as much
	if verdict := g.Check(t.Context(), request); !verdict.Allowed || !verdict.Fresh {
		t.Errorf("verified again: %+v", verdict)
	}
}
