package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// usageClock is set by hand.
type usageClock struct {
	mu   sync.Mutex
	time time.Time
}

func (c *usageClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time
}

func (c *usageClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.time = c.time.Add(d)
}

func newUsageClock() *usageClock { return &usageClock{time: start} }

func openUsage(t testing.TB, documents store.Documents, clock *usageClock) *Usage {
	t.Helper()
	u := NewUsage(documents, clock.now)
	if err := u.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return u
}

func flush(t testing.TB, u *Usage) {
	t.Helper()
	if err := u.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func expectUsed(t testing.TB, u *Usage, clientID, secretID string, want Used) {
	t.Helper()
	if got, ok := u.Of(clientID, secretID); !ok || got != want {
		t.Errorf("%s %s: %+v, %v, want %+v", clientID, secretID, got, ok, want)
	}
}

func expectUnknown(t testing.TB, u *Usage, clientID, secretID string) {
	t.Helper()
	if got, ok := u.Of(clientID, secretID); ok {
		t.Errorf("%s %s: %+v, want nothing", clientID, secretID, got)
	}
}

// What was noted is there at once, is the same when it was stored, and after a
// restart, and goes on from there.
func TestUsageSurvivesARestart(t *testing.T) {
	t.Parallel()
	documents, clock := store.NewMemory(), newUsageClock()
	u := openUsage(t, documents, clock)
	expectUnknown(t, u, "batch", "1")
	u.Note("batch", "1", "192.0.2.1")
	clock.pass(time.Hour)
	u.Note("batch", "1", "2001:db8::1")
	u.Note("batch", "2", "@")
	first := Used{Last: start.Add(time.Hour), Address: "2001:db8::1", Count: 2, Since: start}
	second := Used{Last: start.Add(time.Hour), Count: 1, Since: start.Add(time.Hour)}
	for range 3 {
		expectUsed(t, u, "batch", "1", first)
		expectUsed(t, u, "batch", "2", second)
		flush(t, u)
	}

	u = openUsage(t, documents, clock)
	expectUsed(t, u, "batch", "1", first)
	clock.pass(time.Hour)
	u.Note("batch", "1", "192.0.2.1")
	first = Used{Last: start.Add(2 * time.Hour), Address: "192.0.2.1", Count: 3, Since: start}
	expectUsed(t, u, "batch", "1", first)
	flush(t, u)
	u = openUsage(t, documents, clock)
	expectUsed(t, u, "batch", "1", first)
	expectUsed(t, u, "batch", "2", second)
}

// Where nothing was noted, nothing is written.
func TestUsageWritesNoMoreThanNeeded(t *testing.T) {
	t.Parallel()
	place := &usagePlace{Memory: store.NewMemory()}
	u := openUsage(t, place, newUsageClock())
	flush(t, u)
	if place.updates != 0 {
		t.Errorf("%d updates for nothing", place.updates)
	}
	for range 1000 {
		u.Note("batch", "1", "192.0.2.1")
	}
	for range 3 {
		flush(t, u)
		u.Expect("batch", "1")
	}
	if place.updates != 2 { // a shard and the index
		t.Errorf("%d updates for one secret", place.updates)
	}
}

// A secret that is expected is known not to have been used, and since when; one
// that is known already does not begin anew.
func TestUsageExpect(t *testing.T) {
	t.Parallel()
	documents, clock := store.NewMemory(), newUsageClock()
	u := openUsage(t, documents, clock)
	u.Expect("batch", "old", "new")
	flush(t, u)
	clock.pass(time.Hour)
	u = openUsage(t, documents, clock)
	u.Expect("batch", "old", "new")
	u.Note("batch", "new", "192.0.2.1")
	expectUsed(t, u, "batch", "old", Used{Since: start})
	expectUsed(t, u, "batch", "new", Used{Last: start.Add(time.Hour), Address: "192.0.2.1", Count: 1, Since: start})
}

// Two instances add up what they note, the later use counts, and each sees what the
// other does.
func TestUsageOfTwoInstances(t *testing.T) {
	t.Parallel()
	documents, clock := store.NewMemory(), newUsageClock()
	one, other := openUsage(t, documents, clock), openUsage(t, documents, clock)
	one.Note("batch", "1", "192.0.2.1")
	other.Expect("batch", "1") // before it knows of the first
	clock.pass(time.Minute)
	other.Note("batch", "1", "192.0.2.2")
	other.Note("batch", "1", "192.0.2.2")
	clock.pass(-time.Second) // the first instance's clock is behind
	one.Note("batch", "1", "192.0.2.3")
	flush(t, other)
	flush(t, one)
	want := Used{Last: start.Add(time.Minute), Address: "192.0.2.2", Count: 4, Since: start}
	expectUsed(t, one, "batch", "1", want)
	for range 2 {
		if err := other.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		flush(t, other)
		flush(t, one)
	}
	expectUsed(t, other, "batch", "1", want)
	expectUsed(t, openUsage(t, documents, clock), "batch", "1", want)
}

// A clock that is set back does not move the last use back.
func TestUsageClockSetBack(t *testing.T) {
	t.Parallel()
	documents, clock := store.NewMemory(), newUsageClock()
	u := openUsage(t, documents, clock)
	u.Note("batch", "1", "192.0.2.1")
	clock.pass(-time.Hour)
	u.Note("batch", "1", "192.0.2.2")
	flush(t, u)
	want := Used{Last: start, Address: "192.0.2.1", Count: 2, Since: start}
	expectUsed(t, u, "batch", "1", want)
	u = openUsage(t, documents, clock)
	u.Note("batch", "1", "192.0.2.2")
	flush(t, u)
	want.Count = 3
	expectUsed(t, u, "batch", "1", want)

	clock.time = time.Time{} // before 1970: never set
	u.Note("batch", "2", "192.0.2.2")
	flush(t, u)
	u = openUsage(t, documents, clock)
	expectUsed(t, u, "batch", "2", Used{Last: time.Unix(1, 0).UTC(), Address: "192.0.2.2", Count: 1, Since: time.Unix(1, 0).UTC()})
}

// Many requests at once, while it is stored again and again: none gets lost or is
// counted twice, and a count that was seen never goes back.
func TestUsageConcurrency(t *testing.T) {
	t.Parallel()
	const writers, each, secrets = 8, 2000, 5
	documents, clock := store.NewMemory(), newUsageClock()
	u := openUsage(t, documents, clock)
	var running, storing sync.WaitGroup
	ended := make(chan struct{})
	storing.Go(func() {
		var seen uint64
		for {
			if err := errors.Join(u.Flush(context.Background()), u.Load(context.Background())); err != nil {
				t.Error(err)
			}
			used, _ := u.Of("batch", "0")
			if used.Count < seen {
				t.Errorf("the count went from %d to %d", seen, used.Count)
			}
			seen = used.Count
			select {
			case <-ended:
				return
			default:
			}
		}
	})
	for range writers {
		running.Go(func() {
			for i := range each {
				u.Note("batch", fmt.Sprint(i%secrets), "192.0.2.1")
				u.Of("batch", "0")
			}
		})
	}
	running.Wait()
	close(ended)
	storing.Wait()
	flush(t, u)
	for i := range secrets {
		want := Used{Last: start, Address: "192.0.2.1", Count: writers * each / secrets, Since: start}
		expectUsed(t, u, "batch", fmt.Sprint(i), want)
		expectUsed(t, openUsage(t, documents, clock), "batch", fmt.Sprint(i), want)
	}
}

// Removed secrets leave nothing behind, in memory and in the store, here and in
// other instances, and take nothing of others with them.
func TestUsageForget(t *testing.T) {
	t.Parallel()
	documents, clock := store.NewMemory(), newUsageClock()
	u, other := openUsage(t, documents, clock), openUsage(t, documents, clock)
	for _, id := range []string{"1", "2", "3"} {
		u.Note("batch", id, "192.0.2.1")
		u.Note("web", id, "192.0.2.1")
	}
	flush(t, u)
	if err := other.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	u.Note("batch", "1", "192.0.2.1") // not stored yet
	for _, ids := range [][]string{{"1", "2"}, {"1"}, {"unknown"}} {
		if err := u.Forget(t.Context(), "batch", ids...); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"web", "nobody"} {
		if err := u.Forget(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, u)
	if err := other.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, one := range []*Usage{u, other, openUsage(t, documents, clock)} {
		expectUnknown(t, one, "batch", "1")
		expectUnknown(t, one, "batch", "2")
		expectUnknown(t, one, "web", "3")
		expectUsed(t, one, "batch", "3", Used{Last: start, Address: "192.0.2.1", Count: 1, Since: start})
	}
	if err := u.Forget(t.Context(), "batch", "3"); err != nil {
		t.Fatal(err)
	}
	if content := usageRecords(t, documents, "batch"); len(content) > 0 {
		t.Errorf("the store still has %s", content)
	}
}

// usageRecords is the stored records of the client's shard.
func usageRecords(t *testing.T, documents store.Documents, clientID string) map[string]json.RawMessage {
	t.Helper()
	data, err := documents.Load(t.Context(), shardName(clientID))
	if err != nil {
		t.Fatal(err)
	}
	var shard struct{ Records map[string]json.RawMessage }
	if err := json.Unmarshal(data, &shard); err != nil {
		t.Fatal(err)
	}
	return shard.Records
}

func shardName(clientID string) string {
	return fmt.Sprintf("usage-%02x.json", store.ShardOf(clientID))
}

// The record is as it is documented, and holds nothing else.
func TestUsageRecord(t *testing.T) {
	t.Parallel()
	documents, clock := store.NewMemory(), newUsageClock()
	u := openUsage(t, documents, clock)
	u.Expect("batch", "new")
	u.Note("batch", "old", "192.0.2.1")
	flush(t, u)
	const want = `{"secrets":{"new":{"count":0,"since":"2026-01-02T12:00:00Z"},` +
		`"old":{"last":"2026-01-02T12:00:00Z","address":"192.0.2.1","count":1,"since":"2026-01-02T12:00:00Z"}}}`
	if got := usageRecords(t, documents, "batch")["batch"]; string(got) != want {
		t.Errorf("%s", got)
	}
}

// An address is one that an operator can look up, or none: whatever else stood
// there does not reach the store.
func TestUsageAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:DB8:0::1": "2001:db8::1", "fe80::1%eth0": "fe80::1",
		"": "", "@": "", "192.0.2.1:80": "", strings.Repeat("x", 1000): "", "cc_secret": "",
	} {
		u := openUsage(t, store.NewMemory(), newUsageClock())
		u.Note("batch", "1", address)
		if used, _ := u.Of("batch", "1"); used.Address != want {
			t.Errorf("%q: %q, want %q", address, used.Address, want)
		}
	}
}
