package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// Place is an empty place for marks, together with its clock.
type Place struct {
	Marks store.Marks

	// Now is the time by which the place judges what has lapsed.
	Now func() time.Time

	// Pass lets time pass: time.Sleep, where the clock cannot be moved. A test
	// asks for some five seconds in all.
	Pass func(time.Duration)
}

// RunMarks tests an implementation of store.Marks. open returns a place without
// a mark or restriction each time that it is called, with room for 100 marks of
// one owner.
func RunMarks(t *testing.T, open func(t *testing.T) Place) {
	tests := []struct {
		name string
		run  func(t *testing.T, place Place)
	}{
		{"a use passes once", once},
		{"of many at once one passes", race},
		{"many at once do not hinder each other", crowd},
		{"kinds, owners and IDs are kept apart", keptApart},
		{"an ID is the same whenever it lapses or was made", sameID},
		{"a live use is remembered", remembered},
		{"a lapsed use is forgotten", forgotten},
		{"what has lapsed does not pass", lapsed},
		{"the zero mark does not pass", zeroMark},
		{"an ended context", endedContext},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

// mark is one that passes a place for the first time.
func (p Place) mark() store.Mark {
	now := p.Now()
	return store.Mark{Kind: store.KindAssertion, Owner: "nightly-batch", ID: "id", Made: now, Until: now.Add(time.Minute)}
}

func once(t *testing.T, place Place) {
	mark := place.mark()
	expectMark(t, place, mark, nil)
	for range 3 {
		expectMark(t, place, mark, store.ErrUsed)
	}
}

func race(t *testing.T, place Place) {
	for round := range 5 {
		mark := place.mark()
		mark.ID = fmt.Sprintf("round %d", round)
		passed := 0
		for _, err := range atOnce(64, func(int) error { return place.Marks.Mark(t.Context(), mark) }) {
			switch {
			case err == nil:
				passed++
			case !errors.Is(err, store.ErrUsed):
				t.Errorf("Mark: %v, expected nil or store.ErrUsed", err)
			}
		}
		if passed != 1 {
			t.Fatalf("%d of 64 passed, expected one", passed)
		}
	}
}

func crowd(t *testing.T, place Place) {
	mark := func(number int) error {
		mark := place.mark()
		mark.ID = fmt.Sprint(number)
		return place.Marks.Mark(t.Context(), mark)
	}
	for _, expected := range []error{nil, store.ErrUsed} {
		for number, err := range atOnce(64, mark) {
			if !errors.Is(err, expected) {
				t.Errorf("Mark %d: %v, expected %v", number, err, expected)
			}
		}
	}
}

// atOnce calls from as many goroutines, which start together.
func atOnce(number int, call func(int) error) []error {
	results := make([]error, number)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range number {
		group.Go(func() {
			<-start
			results[i] = call(i)
		})
	}
	close(start)
	group.Wait()
	return results
}

// None of these is another one, wherever a place puts their parts together.
func keptApart(t *testing.T, place Place) {
	long := strings.Repeat("x", 4<<10)
	names := [][3]string{
		{store.KindAssertion, "a", "b"}, {store.KindProof, "a", "b"}, {store.KindAssertion, "b", "a"},
		{store.KindAssertion, "ab", ""}, {store.KindAssertion, "", "ab"}, {store.KindAssertion, "a", "B"},
		{store.KindAssertion, "a:b", "c"}, {store.KindAssertion, "a", "b:c"}, {store.KindAssertion, "a:", "b:c"},
		{store.KindAssertion, "a\x00b", "c"}, {store.KindAssertion, "a", "b\x00c"}, {store.KindAssertion, "a", "\x00"},
		{store.KindAssertion, "a", "b "}, {store.KindAssertion, "a", "b\n"}, {store.KindAssertion, "a", "b*"},
		{store.KindAssertion, "a", "é"}, {store.KindAssertion, "a", "e\u0301"}, {store.KindAssertion, "a", "\xff"},
		{store.KindAssertion, "a", "\xfe"}, {store.KindAssertion, "a", long}, {store.KindAssertion, "a", long + "x"},
		{store.KindAssertion, "a", ""}, {store.KindAssertion, "{a}", "b"}, {store.KindAssertion, "a", "%62"},
	}
	for _, expected := range []error{nil, store.ErrUsed} {
		for _, name := range names {
			mark := place.mark()
			mark.Kind, mark.Owner, mark.ID = name[0], name[1], name[2]
			expectMark(t, place, mark, expected)
		}
	}
}

func sameID(t *testing.T, place Place) {
	first := place.mark()
	expectMark(t, place, first, nil)
	for _, later := range []time.Duration{-50 * time.Second, -time.Second, time.Millisecond, time.Second, time.Hour} {
		again := first
		again.Until = first.Until.Add(later)
		expectMark(t, place, again, store.ErrUsed)
		again.Made = time.Time{}
		expectMark(t, place, again, store.ErrUsed)
		again.Made = first.Made.Add(-time.Hour)
		expectMark(t, place, again, store.ErrUsed)
	}
}

func remembered(t *testing.T, place Place) {
	mark := place.mark()
	mark.Until = place.Now().Add(2500 * time.Millisecond)
	expectMark(t, place, mark, nil)
	other := mark
	other.ID = "makes the place look at the time"
	place.Pass(time.Second)
	expectMark(t, place, other, nil)
	if place.Now().Before(mark.Until) { // a slow machine proves nothing
		expectMark(t, place, mark, store.ErrUsed)
	}
}

func forgotten(t *testing.T, place Place) {
	mark := place.mark()
	mark.Until = place.Now().Add(time.Second)
	expectMark(t, place, mark, nil)
	place.Pass(4 * time.Second)
	mark.Until = place.Now().Add(time.Minute)
	expectMark(t, place, mark, nil)
	expectMark(t, place, mark, store.ErrUsed)
}

// Nothing is kept of it, so that any number of them would pass.
func lapsed(t *testing.T, place Place) {
	mark := place.mark()
	for _, ago := range []time.Duration{2 * time.Second, time.Hour, 50 * 365 * 24 * time.Hour, 200 * 365 * 24 * time.Hour} {
		mark.Until = place.Now().Add(-ago)
		expectMark(t, place, mark, store.ErrStale)
	}
	mark.Until = place.Now().Add(time.Minute)
	expectMark(t, place, mark, nil) // what was refused did not use it up
}

func zeroMark(t *testing.T, place Place) { expectMark(t, place, store.Mark{}, store.ErrStale) }

func endedContext(t *testing.T, place Place) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	mark := place.mark()
	if err := place.Marks.Mark(ctx, mark); !errors.Is(err, context.Canceled) {
		t.Errorf("Mark: %v, expected context.Canceled", err)
	}
	expectMark(t, place, mark, nil)
}

func expectMark(t *testing.T, place Place, mark store.Mark, expected error) {
	t.Helper()
	if err := place.Marks.Mark(t.Context(), mark); !errors.Is(err, expected) {
		t.Errorf("Mark %.20q of %.20q until %v: %v, expected %v", mark.ID, mark.Owner, mark.Until, err, expected)
	}
}
