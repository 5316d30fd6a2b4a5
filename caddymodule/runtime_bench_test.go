package caddymodule

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// crowds are the numbers of clients in the page of benchmarks.
var crowds = []int{10, 1_000, 100_000}

func runtimeID(i int) string { return fmt.Sprintf("client-%06d", i) }

// crowd stores clients as the admin endpoint does, but all at once.
func crowd(b *testing.B, count int) store.Documents {
	b.Helper()
	documents := store.NewMemory()
	ids := make([]string, count)
	for i := range ids {
		ids[i] = runtimeID(i)
	}
	made := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	nothing := func(int, map[string]json.RawMessage) error { return nil }
	err := store.NewCollection(documents, client.DirectoryName, nothing).Change(b.Context(), ids,
		func(id string, _ json.RawMessage) (json.RawMessage, error) {
			record := &client.Record{
				ID: id, Name: "Client " + id, Scopes: []string{"orders:read", "orders:write"}, Roles: []string{"clerk"},
				Revision: 1, Made: made, Changed: made,
			}
			if _, _, err := record.AddSecret(made, nil); err != nil {
				return nil, err
			}
			return json.Marshal(record)
		})
	if err != nil {
		b.Fatal(err)
	}
	return documents
}

// bring makes an app with the clients that are stored.
func bring(b *testing.B, documents store.Documents) *App {
	b.Helper()
	app := &App{
		logger: zap.NewNop(), Issuer: "https://api.example.com", Roles: []Role{{Name: "clerk", Scopes: []string{"stock:read"}}},
		shared: &shared{directory: client.NewDirectory(documents, time.Now)},
	}
	if err := app.shared.directory.Load(b.Context()); err != nil {
		b.Fatal(err)
	}
	registry, err := app.registry()
	if err != nil {
		b.Fatal(err)
	}
	app.clients = registry
	app.followDirectory(registry)
	return app
}

func heap() float64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}

// What a start costs with so many clients that were made at run time, and what each
// of them takes of memory.
func BenchmarkRuntimeClientsLoad(b *testing.B) {
	for _, count := range crowds {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			documents := crowd(b, count)
			before := heap()
			kept := bring(b, documents)
			each := (heap() - before) / float64(count)
			kept.runtime.end()
			for b.Loop() {
				bring(b, documents).runtime.end()
			}
			b.ReportMetric(each, "B/client")
			runtime.KeepAlive(kept)
		})
	}
}

// What it costs to change one of so many, the disk excepted.
func BenchmarkRuntimeClientChange(b *testing.B) {
	for _, count := range crowds {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			app := bring(b, crowd(b, count))
			defer app.runtime.end()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				_, err := app.shared.directory.Change(b.Context(), runtimeID(i%count), func(record *client.Record) (*client.Record, error) {
					record.Name = fmt.Sprint("change ", i)
					return record, nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What it costs to look at the store where nothing has changed, which happens each
// half minute.
func BenchmarkRuntimeClientsLook(b *testing.B) {
	for _, count := range crowds {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			app := bring(b, crowd(b, count))
			defer app.runtime.end()
			for b.Loop() {
				if err := app.shared.directory.Load(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
