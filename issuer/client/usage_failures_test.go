package client

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// usagePlace is a place whose updates and documents can fail.
type usagePlace struct {
	*store.Memory
	updates int
	fails   func(name string, update int) error
	gone    map[string]bool
}

func (p *usagePlace) Update(ctx context.Context, name string, change func([]byte) ([]byte, error)) error {
	p.updates++
	if p.fails != nil {
		if err := p.fails(name, p.updates); err != nil {
			return err
		}
	}
	return p.Memory.Update(ctx, name, func(old []byte) ([]byte, error) {
		if p.gone[name] {
			old = nil
		}
		changed, err := change(old)
		if err == nil && changed != nil {
			delete(p.gone, name)
		}
		return changed, err
	})
}

func (p *usagePlace) Load(ctx context.Context, name string) ([]byte, error) {
	if p.gone[name] {
		return nil, fs.ErrNotExist
	}
	return p.Memory.Load(ctx, name)
}

func overwrite(t *testing.T, documents store.Documents, name, content string) {
	t.Helper()
	err := documents.Update(t.Context(), name, func([]byte) ([]byte, error) { return []byte(content), nil })
	if err != nil {
		t.Fatal(err)
	}
}

// What could not be stored is stored by the next flush, once, wherever in between
// the store failed.
func TestUsageFlushFails(t *testing.T) {
	t.Parallel()
	const clients = 20
	for failing := 1; failing <= clients+1; failing++ { // the last is the index
		place, clock := &usagePlace{Memory: store.NewMemory()}, newUsageClock()
		u := openUsage(t, place, clock)
		note := func() {
			for i := range clients {
				u.Note(fmt.Sprint("client", i), "1", "192.0.2.1")
			}
		}
		note()
		place.fails = func(_ string, update int) error {
			if update == failing {
				return errors.New("no route to host")
			}
			return nil
		}
		if err := u.Flush(t.Context()); failing <= place.updates && err == nil {
			t.Errorf("update %d failed, and the flush did not", failing)
		}
		clock.pass(time.Minute)
		note()
		place.fails = nil
		flush(t, u)
		flush(t, u)
		for _, one := range []*Usage{u, openUsage(t, place, clock)} {
			for i := range clients {
				want := Used{Last: start.Add(time.Minute), Address: "192.0.2.1", Count: 2, Since: start}
				expectUsed(t, one, fmt.Sprint("client", i), "1", want)
			}
		}
	}
}

// A context that has ended stores nothing and loses nothing.
func TestUsageFlushIsGivenUp(t *testing.T) {
	t.Parallel()
	documents, clock := store.NewMemory(), newUsageClock()
	u := openUsage(t, documents, clock)
	u.Note("batch", "1", "192.0.2.1")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := u.Flush(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	flush(t, u)
	expectUsed(t, openUsage(t, documents, clock), "batch", "1", Used{Last: start, Address: "192.0.2.1", Count: 1, Since: start})
}

// A record that cannot be read is named and never written over, and the other
// clients, also of its shard, are stored and read as ever.
func TestUsageDamagedRecords(t *testing.T) {
	t.Parallel()
	const at = `"2026-01-02T12:00:00Z"`
	for name, record := range map[string]string{
		"another type":      `[]`,
		"null":              `null`,
		"no secret":         `{"secrets":{}}`,
		"secrets missing":   `{}`,
		"an unknown member": `{"secrets":{"1":{"count":0,"since":` + at + `}},"more":1}`,
		"one of a secret":   `{"secrets":{"1":{"count":0,"since":` + at + `,"more":1}}}`,
		"no id":             `{"secrets":{"":{"count":0,"since":` + at + `}}}`,
		"no since":          `{"secrets":{"1":{"count":0}}}`,
		"used, not counted": `{"secrets":{"1":{"last":` + at + `,"count":0,"since":` + at + `}}}`,
		"counted, not used": `{"secrets":{"1":{"count":1,"since":` + at + `}}}`,
		"negative":          `{"secrets":{"1":{"last":` + at + `,"count":-1,"since":` + at + `}}}`,
		"too much":          `{"secrets":{"1":{"last":` + at + `,"count":9007199254740992,"since":` + at + `}}}`,
		"not a time":        `{"secrets":{"1":{"count":0,"since":"yesterday"}}}`,
		"half a second":     `{"secrets":{"1":{"count":0,"since":"2026-01-02T12:00:00.5Z"}}}`,
		"not an address":    `{"secrets":{"1":{"last":` + at + `,"address":"cc_x","count":1,"since":` + at + `}}}`,
	} {
		documents, clock := store.NewMemory(), newUsageClock()
		overwrite(t, documents, "usage.json", fmt.Sprintf(`{"shards":{"%02x":1}}`, store.ShardOf("batch")))
		overwrite(t, documents, shardName("batch"), `{"version":1,"records":{"batch":`+record+`}}`)
		u := NewUsage(documents, clock.now)
		for range 2 {
			err := u.Load(t.Context())
			if err == nil || !strings.Contains(err.Error(), `"batch"`) || strings.Contains(err.Error(), "cc_x") {
				t.Errorf("%s: %v", name, err)
			}
			u.Note("batch", "1", "192.0.2.1")
			u.Note(neighbour, "1", "192.0.2.1")
			flush(t, u)
		}
		expectUsed(t, u, neighbour, "1", Used{Last: start, Address: "192.0.2.1", Count: 2, Since: start})
		if err := u.Forget(t.Context(), "batch", "1"); err == nil {
			t.Errorf("%s: a secret of it was forgotten", name)
		}
		if got := usageRecords(t, documents, "batch")["batch"]; string(got) != record {
			t.Errorf("%s: it became %s", name, got)
		}
	}
}

// neighbour is a client in the same shard as "batch".
var neighbour = func() string {
	for i := 0; ; i++ {
		if id := fmt.Sprint("neighbour", i); store.ShardOf(id) == store.ShardOf("batch") {
			return id
		}
	}
}()

// What becomes unreadable while the process runs: it goes on with what it knows,
// and what it notes meanwhile is stored when the document is repaired.
func TestUsageDamagedWhileRunning(t *testing.T) {
	t.Parallel()
	documents, clock := store.NewMemory(), newUsageClock()
	u := openUsage(t, documents, clock)
	u.Note("batch", "1", "192.0.2.1")
	u.Note("nightly", "1", "192.0.2.1")
	flush(t, u)
	good, err := documents.Load(t.Context(), shardName("batch"))
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, documents, shardName("batch"), "{")
	u.Note("batch", "1", "192.0.2.2")
	u.Note("nightly", "1", "192.0.2.2")
	if err := u.Flush(t.Context()); !errors.Is(err, store.ErrUnreadable) {
		t.Errorf("%v", err)
	}
	want := Used{Last: start, Address: "192.0.2.1", Count: 2, Since: start}
	expectUsed(t, u, "batch", "1", want)
	expectUsed(t, openUsageDamaged(t, documents, clock), "nightly", "1", want)
	overwrite(t, documents, shardName("batch"), string(good))
	flush(t, u)
	expectUsed(t, openUsage(t, documents, clock), "batch", "1", want)
}

func openUsageDamaged(t *testing.T, documents store.Documents, clock *usageClock) *Usage {
	t.Helper()
	u := NewUsage(documents, clock.now)
	if err := u.Load(t.Context()); !errors.Is(err, store.ErrUnreadable) {
		t.Fatal(err)
	}
	return u
}

// What is lost begins anew, and does not claim to know of the time before: a secret
// that was used then must not look as if it never was.
func TestUsageDocumentsGone(t *testing.T) {
	t.Parallel()
	place, clock := &usagePlace{Memory: store.NewMemory(), gone: make(map[string]bool)}, newUsageClock()
	u := openUsage(t, place, clock)
	u.Note("batch", "old", "192.0.2.1")
	u.Note("batch", "new", "192.0.2.1")
	flush(t, u)
	clock.pass(time.Hour)
	u.Note("batch", "new", "192.0.2.2")
	place.gone["usage.json"], place.gone[shardName("batch")] = true, true
	for _, err := range []error{u.Load(t.Context()), u.Flush(t.Context())} {
		if !errors.Is(err, store.ErrGone) {
			t.Errorf("%v", err)
		}
	}
	for range 2 {
		clock.pass(time.Hour) // it begins anew once
		flush(t, u)
		for _, one := range []*Usage{u, openUsage(t, place, clock)} {
			expectUsed(t, one, "batch", "old", Used{Since: start.Add(time.Hour)})
			expectUsed(t, one, "batch", "new", Used{Last: start.Add(time.Hour), Address: "192.0.2.2", Count: 1, Since: start.Add(time.Hour)})
		}
	}
}

// One document that is gone at a start takes nothing of what is in the others, and
// is written again when a secret that belongs there is looked for.
func TestUsageDocumentGoneAtAStart(t *testing.T) {
	t.Parallel()
	place, clock := &usagePlace{Memory: store.NewMemory(), gone: make(map[string]bool)}, newUsageClock()
	u := openUsage(t, place, clock)
	u.Note("batch", "1", "192.0.2.1")
	u.Note("nightly", "1", "192.0.2.1")
	flush(t, u)
	clock.pass(time.Hour)
	place.gone[shardName("batch")] = true
	u = NewUsage(place, clock.now)
	for range 2 {
		if err := u.Load(t.Context()); !errors.Is(err, store.ErrGone) {
			t.Errorf("%v", err)
		}
		flush(t, u)
		expectUnknown(t, u, "batch", "1")
	}
	u.Expect("batch", "1")
	u.Expect("nightly", "1")
	flush(t, u)
	clock.pass(time.Hour)
	for _, one := range []*Usage{u, openUsage(t, place, clock)} {
		expectUsed(t, one, "batch", "1", Used{Since: start.Add(time.Hour)})
		expectUsed(t, one, "nightly", "1", Used{Last: start, Address: "192.0.2.1", Count: 1, Since: start})
	}
}
