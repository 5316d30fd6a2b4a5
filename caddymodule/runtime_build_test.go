package caddymodule

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// Very many clients are made in parts: each is in force once, as its own record says,
// and none that was removed or is the configuration's.
func TestRuntimeClientsInParts(t *testing.T) {
	t.Parallel()
	const count = 3*client.LeastPart + 7
	documents, made := store.NewMemory(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ids := make([]string, count)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	nothing := func(int, map[string]json.RawMessage) error { return nil }
	err := store.NewCollection(documents, client.DirectoryName, nothing).Change(t.Context(), ids,
		func(id string, _ json.RawMessage) (json.RawMessage, error) {
			return json.Marshal(client.Record{
				ID: id, Name: "made " + id, Roles: []string{"gone"}, Revision: 1, Epoch: 1, Made: made, Changed: made,
				Removed: len(id) == 2, AllowBridge: id == "8", Require: map[string]string{"8": "dpop"}[id],
			})
		})
	if err != nil {
		t.Fatal(err)
	}
	app, log := withDirectory(t, documents, &App{Clients: []Client{{ID: "7", Name: "configured"}}})
	for _, id := range ids {
		found, ok := app.clients.Lookup(id)
		want := "made " + id
		if id == "7" {
			want = "configured"
		}
		if there := len(id) != 2 && id != "8"; ok != there || there && (found.Name != want || found.Epoch != 1) {
			t.Errorf("%s: %t, %+v", id, ok, found)
		}
	}
	// A warning for each that names a role which is not declared, one for the
	// configuration's namesake and an error for the one that cannot be.
	if want := count - 90 + 1; log.Len() != want || app.clients.Len() != count-90-1 {
		t.Errorf("%d lines, want %d; %d clients", log.Len(), want, app.clients.Len())
	}
}

// A panic while clients are made leaves out those of its part that were not made by
// then, is logged, and ends nothing.
func TestRuntimeClientsPanic(t *testing.T) {
	t.Parallel()
	const count = 3*client.LeastPart + 7
	app, log := withDirectory(t, store.NewMemory(), new(App))
	app.logger = app.logger.WithOptions(zap.Hooks(func(line zapcore.Entry) error {
		if line.Level == zap.WarnLevel {
			panic("the log is full")
		}
		return nil
	}))
	records := make([]*client.Record, count)
	for i := range records {
		records[i] = &client.Record{ID: fmt.Sprint(i), Revision: 1}
	}
	records[1].Roles = []string{"gone"} // of which is warned
	app.runtime.takeOver(records, nil)
	part := min(count, max(client.LeastPart, count/runtime.GOMAXPROCS(0)+1))
	for i, record := range records {
		if _, ok := app.clients.Lookup(record.ID); ok != (i < 1 || i >= part) {
			t.Errorf("client %d of parts of %d: %t", i, part, ok)
		}
	}
	if found := log.FilterMessage("work in the background panicked"); found.Len() != 1 || app.clients.Len() != count-part+1 {
		t.Errorf("%d lines, %d clients", found.Len(), app.clients.Len())
	}
}
