package client

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

var clientCounts = []int{10, 1_000, 100_000}

// stored is that many clients with a secret each, all of the same text.
func stored(b *testing.B, count int) (documents *store.Memory, secret string) {
	b.Helper()
	documents = store.NewMemory()
	secret, one := generatedSecret(b)
	ids := make([]string, count)
	for i := range ids {
		ids[i] = benchID(i)
	}
	raw := store.NewCollection(documents, DirectoryName, func(int, map[string]json.RawMessage) error { return nil })
	err := raw.Change(b.Context(), ids, func(id string, _ json.RawMessage) (json.RawMessage, error) {
		return json.Marshal(&Record{
			ID: id, Name: "A batch job", Scopes: []string{"orders:read", "orders:write"}, LastSecret: 1, Revision: 1, Made: start, Changed: start,
			Secrets: []StoredSecret{{ID: "1", Hash: one.hash.text, Made: start}},
		})
	})
	if err != nil {
		b.Fatal(err)
	}
	return documents, secret
}

func benchID(i int) string { return fmt.Sprintf("batch-job-%06d", i) }

// registryOf makes the clients of a directory those of a registry.
func registryOf(b *testing.B, d *Directory) *Registry {
	b.Helper()
	var clients []Client
	for record := range d.All() {
		secrets, err := record.Build()
		if err != nil {
			b.Fatal(err)
		}
		clients = append(clients, Client{ID: record.ID, Name: record.Name, Scopes: record.Scopes, Secrets: secrets, Resources: []string{"https://api.example.com"}})
	}
	registry, err := NewRegistry(clients)
	if err != nil {
		b.Fatal(err)
	}
	return registry
}

// From what is stored, in memory, to clients that can authenticate.
func BenchmarkClientsLoad(b *testing.B) {
	for _, count := range clientCounts {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			documents, _ := stored(b, count)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			var d *Directory
			var registry *Registry
			for b.Loop() {
				d = newDirectory(b, documents)
				registry = registryOf(b, d)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(count), "B/client")
			runtime.KeepAlive(d)
			runtime.KeepAlive(registry)
		})
	}
}

// A change of one among many: what is stored, and what is in force.
func BenchmarkClientChange(b *testing.B) {
	for _, count := range clientCounts {
		documents, _ := stored(b, count)
		d := newDirectory(b, documents)
		registry := registryOf(b, d)
		b.Run(fmt.Sprint("stored/", count), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				alter(b, d, benchID(i%count), func(r *Record) { r.Name = fmt.Sprint(i) })
			}
		})
		b.Run(fmt.Sprint("in force/", count), func(b *testing.B) {
			one, _ := registry.Lookup(benchID(0))
			for b.Loop() {
				if err := registry.Update([]Client{*one}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What authenticating with a generated secret costs beside how many others.
func BenchmarkAuthenticateAmong(b *testing.B) {
	for _, count := range clientCounts {
		documents, secret := stored(b, count)
		a := NewAuthenticator(AuthenticatorConfig{
			Registry: registryOf(b, newDirectory(b, documents)), Memory: NewMemory(time.Now), Queue: NewQueue(),
			Marks: store.NewMemoryMarks(0, time.Now), Now: time.Now,
		})
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				_, err := a.Authenticate(context.Background(), Credentials{Method: SecretBasic, ClientID: benchID(i % count), Secret: secret})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
