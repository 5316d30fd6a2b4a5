package client

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Guessing comes to an end for one client at one address, and nowhere else.
func TestFailures(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	failures := NewFailures(func() time.Time { return now }, nil)
	limit := FailureLimit{Count: 3, Per: time.Minute}
	for range 3 {
		if wait := failures.Blocked(limit, "batch", "192.0.2.1"); wait != 0 {
			t.Fatalf("blocked for %s too early", wait)
		}
		failures.Count(limit, "batch", "192.0.2.1")
	}
	if wait := failures.Blocked(limit, "batch", "192.0.2.1"); wait != 20*time.Second {
		t.Fatalf("blocked for %s", wait)
	}
	for name, at := range map[string][2]string{
		"another address": {"batch", "192.0.2.2"}, "another client": {"other", "192.0.2.1"}, "nobody": {"", "192.0.2.1"},
	} {
		if wait := failures.Blocked(limit, at[0], at[1]); wait != 0 {
			t.Errorf("%s: blocked for %s", name, wait)
		}
	}
	now = now.Add(19 * time.Second)
	if failures.Blocked(limit, "batch", "192.0.2.1") == 0 {
		t.Error("free too early")
	}
	now = now.Add(time.Second)
	if failures.Blocked(limit, "batch", "192.0.2.1") != 0 {
		t.Error("still blocked")
	}
	failures.Count(limit, "batch", "192.0.2.1")
	if failures.Blocked(limit, "batch", "192.0.2.1") == 0 {
		t.Error("a whole burst again after one pause")
	}
}

// A reload may change the limit; what was counted stays.
func TestFailuresWithChangedLimit(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	failures := NewFailures(func() time.Time { return now }, nil)
	wide, narrow := FailureLimit{Count: 10, Per: time.Minute}, FailureLimit{Count: 2, Per: time.Minute}
	for range 5 {
		failures.Count(wide, "batch", "192.0.2.1")
	}
	failures.Count(narrow, "batch", "192.0.2.1")
	failures.Count(narrow, "batch", "192.0.2.1")
	if failures.Blocked(narrow, "batch", "192.0.2.1") == 0 {
		t.Error("not blocked")
	}
}

func TestFailureKeys(t *testing.T) {
	t.Parallel()
	for _, same := range [][4]string{
		{"a", "2001:db8::1", "a", "2001:db8::ffff"},
		{"a", "::ffff:192.0.2.1", "a", "192.0.2.1"},
		{"a", "fe80::1%eth0", "a", "fe80::1%eth1"},
		{"a\x00", "192.0.2.1", strings.Repeat("x", 5000), "192.0.2.1"},
		{"a", "@", "a", ""},
	} {
		if keyOf(same[0], same[1]) != keyOf(same[2], same[3]) {
			t.Errorf("%q differ", same)
		}
	}
	for _, different := range [][4]string{
		{"a", "2001:db8::1", "a", "2001:db8:0:1::1"},
		{"a", "192.0.2.1", "a", "192.0.2.2"},
		{"a", "192.0.2.1", "b", "192.0.2.1"},
	} {
		if keyOf(different[0], different[1]) == keyOf(different[2], different[3]) {
			t.Errorf("%q are the same", different)
		}
	}
}

// Invented client_ids neither fill the memory nor free the one that is guessed at.
func TestFailuresUnderAFlood(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	failures := NewFailures(func() time.Time { return now }, nil)
	limit := FailureLimit{Count: 3, Per: time.Hour}
	for i := range 4 * failureSize {
		if i%1000 == 0 && failures.Blocked(limit, "batch", "192.0.2.1") == 0 {
			failures.Count(limit, "batch", "192.0.2.1")
		}
		failures.Count(limit, fmt.Sprint("id", i), "192.0.2.1")
	}
	failures.limiters.CleanUp()
	if size := failures.limiters.EstimatedSize(); size > failureSize {
		t.Errorf("holds %d entries", size)
	}
	if failures.Blocked(limit, "batch", "192.0.2.1") == 0 {
		t.Error("the flood freed the client")
	}
}

// Attempts that come at once pass together, and are paid for one by one: sent
// in bursts there are no more of them than sent in turn.
func TestFailuresAtOnce(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	failures := NewFailures(func() time.Time { return now }, nil)
	limit := FailureLimit{Count: 10, Per: time.Minute}
	guesses := 0
	for range 60 * 60 { // an hour, in which a burst is tried each second
		if failures.Blocked(limit, "batch", "192.0.2.1") == 0 {
			for range 60 {
				failures.Count(limit, "batch", "192.0.2.1")
				guesses++
			}
		}
		now = now.Add(time.Second)
	}
	if most := 10*60 + 10 + 60; guesses > most {
		t.Errorf("%d guesses in an hour, expected %d at most", guesses, most)
	}
	for range 10_000 {
		failures.Count(limit, "batch", "192.0.2.1")
	}
	if wait := failures.Blocked(limit, "batch", "192.0.2.1"); wait > 15*time.Minute {
		t.Errorf("blocked for %s", wait)
	}
}

// An address that fails for one client after the other is exhausted at last,
// and no other address is.
func TestFailuresOfAddress(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	failures := NewFailures(func() time.Time { return now }, nil)
	limit := FailureLimit{Count: 2, Per: time.Minute}
	for i := range 2 * addressFactor {
		if wait := failures.Exhausted(limit, "192.0.2.1"); wait != 0 {
			t.Fatalf("after %d failures: %s", i, wait)
		}
		id := fmt.Sprint("id", i)
		if i%2 == 0 {
			id = "" // names nobody, and counts all the same
		}
		failures.Count(limit, id, "192.0.2.1")
	}
	if failures.Exhausted(limit, "192.0.2.1") == 0 || failures.Exhausted(limit, "192.0.2.2") != 0 {
		t.Error("the wrong address is exhausted")
	}
	if failures.Blocked(limit, "batch", "192.0.2.1") != 0 || failures.Blocked(limit, "", "192.0.2.1") != 0 {
		t.Error("a client is blocked for the failures of others")
	}
	now = now.Add(time.Minute)
	if failures.Exhausted(limit, "192.0.2.1") != 0 {
		t.Error("still exhausted")
	}
}

// An address that has had too many failures makes up names in vain: they take
// no room from those that are being guessed at, which go on being counted.
func TestNamesOfAnExhaustedAddress(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	failures := NewFailures(func() time.Time { return now }, nil)
	limit := FailureLimit{Count: 1, Per: time.Minute}
	failures.Count(limit, "batch", "192.0.2.1")
	for i := range addressFactor - 1 {
		failures.Count(limit, fmt.Sprint("made-up-", i), "192.0.2.1")
	}
	failures.Count(limit, "late", "192.0.2.1")
	if failures.Exhausted(limit, "192.0.2.1") == 0 {
		t.Fatal("the address has had too few failures")
	}
	if _, noted := failures.limiters.GetIfPresent(keyOf("late", "192.0.2.1").hash()); noted {
		t.Error("a name took room after that")
	}
	before := failures.Blocked(limit, "batch", "192.0.2.1")
	failures.Count(limit, "batch", "192.0.2.1")
	if after := failures.Blocked(limit, "batch", "192.0.2.1"); after <= before {
		t.Errorf("a client that is being guessed at was blocked for %s, now for %s", before, after)
	}
}
