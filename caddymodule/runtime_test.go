package caddymodule

import (
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// withDirectory is an app whose clients come from here and from a directory.
func withDirectory(t *testing.T, documents store.Documents, app *App) (*App, *observer.ObservedLogs) {
	t.Helper()
	core, log := observer.New(zap.WarnLevel)
	app.logger = zap.New(core)
	app.Issuer = "https://api.example.com"
	app.shared = &shared{directory: client.NewDirectory(documents, time.Now)}
	if err := app.shared.directory.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	registry, err := app.registry()
	if err != nil {
		t.Fatal(err)
	}
	app.clients = registry
	app.followDirectory(registry)
	t.Cleanup(app.runtime.end)
	return app, log
}

func alter(t *testing.T, app *App, id string, change func(r *client.Record)) {
	t.Helper()
	_, err := app.shared.directory.Change(t.Context(), id, func(old *client.Record) (*client.Record, error) {
		if old == nil {
			old = new(client.Record)
		}
		change(old)
		return old, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What a record names and the configuration does not declare gives nothing, and
// above all not everything.
func TestRuntimeClientGetsNoMoreThanDeclared(t *testing.T) {
	t.Parallel()
	app, log := withDirectory(t, store.NewMemory(), &App{
		Resources: []Resource{{Identifier: "https://a.example.com"}, {Identifier: "https://b.example.com"}},
		Roles:     []Role{{Name: "clerk", Scopes: []string{"orders:read"}}},
	})
	for i, c := range []struct {
		record    client.Record
		resources []string
		scopes    []string
		warned    int
	}{
		{client.Record{}, []string{"https://a.example.com", "https://b.example.com"}, nil, 0},
		{client.Record{Resources: []string{"https://b.example.com"}, Roles: []string{"clerk"}}, []string{"https://b.example.com"}, []string{"orders:read"}, 0},
		{client.Record{Resources: []string{"https://gone.example.com"}, Scopes: []string{"x"}}, nil, []string{"x"}, 1},
		{client.Record{Resources: []string{"https://gone.example.com", "https://a.example.com"}}, []string{"https://a.example.com"}, nil, 0},
		{client.Record{Roles: []string{"boss"}}, []string{"https://a.example.com", "https://b.example.com"}, nil, 0},
	} {
		alter(t, app, "a", func(r *client.Record) {
			r.Resources, r.Roles, r.Scopes = c.record.Resources, c.record.Roles, c.record.Scopes
		})
		found, ok := app.clients.Lookup("a")
		if !ok || !slices.Equal(found.Resources, c.resources) || !slices.Equal(found.Scopes, c.scopes) {
			t.Errorf("%d: %+v", i, found)
		}
		if warned := len(log.TakeAll()); warned != c.warned { // once for each client
			t.Errorf("%d: %d warnings", i, warned)
		}
	}
}

// The configuration wins over a client of the same id, which is told, and never
// gets tokens back that were void.
func TestConfiguredClientWins(t *testing.T) {
	t.Parallel()
	documents := store.NewMemory()
	before, _ := withDirectory(t, documents, new(App))
	alter(t, before, "batch", func(r *client.Record) { r.Name = "at run time" })
	alter(t, before, "batch", func(r *client.Record) { r.Disabled = true })
	app, log := withDirectory(t, documents, &App{Clients: []Client{{ID: "batch", Name: "configured"}}})
	found, _ := app.clients.Lookup("batch")
	if found.Name != "configured" || found.Disabled || found.Epoch != 1 || log.Len() != 1 {
		t.Errorf("%+v, %d warnings", found, log.Len())
	}
	alter(t, app, "batch", func(r *client.Record) { r.Disabled = false })
	alter(t, app, "batch", func(r *client.Record) { r.Disabled = true })
	if found, _ := app.clients.Lookup("batch"); found.Name != "configured" || found.Disabled || found.Epoch != 2 {
		t.Errorf("%+v", found)
	}
	if _, err := app.shared.directory.Change(t.Context(), "batch", func(*client.Record) (*client.Record, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	again, _ := withDirectory(t, documents, &App{Clients: []Client{{ID: "batch", Name: "configured"}}})
	if found, _ := again.clients.Lookup("batch"); found.Epoch != 2 {
		t.Errorf("after its namesake was removed: %+v", found)
	}
}

// A client that cannot be used keeps no other from coming into force.
func TestRuntimeClientThatCannotBe(t *testing.T) {
	t.Parallel()
	text := client.NewGenerated()
	hash, err := client.HashSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	bridge := func(r *client.Record) {
		r.AllowBridge = true
		r.Secrets = []client.StoredSecret{{ID: "1", Hash: hash, Made: time.Now()}}
	}
	documents := store.NewMemory()
	made, _ := withDirectory(t, documents, new(App))
	for _, id := range []string{"a", "b", "c"} {
		alter(t, made, id, bridge) // all three have one secret in common
	}
	alter(t, made, "good", func(*client.Record) {})
	app, log := withDirectory(t, documents, new(App))
	if _, ok := app.clients.Lookup("good"); !ok || app.clients.Len() != 2 || log.FilterMessageSnippet("cannot be used").Len() != 2 {
		t.Errorf("%d clients, %v", app.clients.Len(), log.All())
	}
}

// When a configuration has ended, nobody changes its clients any more.
func TestEndedConfigurationFollowsNobody(t *testing.T) {
	t.Parallel()
	app, _ := withDirectory(t, store.NewMemory(), new(App))
	alter(t, app, "a", func(*client.Record) {})
	app.runtime.end()
	alter(t, app, "b", func(*client.Record) {})
	if app.clients.Len() != 1 {
		t.Errorf("%d clients", app.clients.Len())
	}
}
