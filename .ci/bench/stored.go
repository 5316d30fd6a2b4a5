package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	stored "github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// storedBefore are the processes that find something in Caddy's storage when they
// start, as an issuer would have left it that ran before.
var storedBefore = map[string]func(folder string) error{
	"1,000,000 revoked":        func(folder string) error { return writeRevoked(folder, 1_000_000) },
	"100,000 run-time clients": func(folder string) error { return writeClients(folder, 100_000) },
}

// state is the folder in which the issuer of the process keeps its documents.
func (p *process) state() (string, error) {
	issuer, err := p.layout.url("issuer")
	folder := filepath.Join(p.layout.folder, "storage", filepath.FromSlash(store.Prefix(issuer)))
	if err != nil {
		return "", err
	}
	return folder, os.MkdirAll(folder, 0o700)
}

// writeRevoked leaves revoked tokens, none of which is ever presented.
func writeRevoked(folder string, count int) error {
	records, expires := make(map[string]any, count), time.Now().Add(24*time.Hour).Unix()
	for range count {
		digest := make([]byte, 16)
		_, _ = rand.Read(digest) // never fails
		records[encode(digest)] = expires
	}
	return writeCollection(folder, revocation.Name, records)
}

// writeClients leaves clients that were made at run time, of which the first has the secret.
func writeClients(folder string, count int) error {
	now := time.Now().UTC().Truncate(time.Second)
	records := make(map[string]any, count)
	for i := range count {
		record := stored.Record{
			ID: fmt.Sprintf("made-%d", i), Scopes: []string{"read"}, LastSecret: 1, Revision: 1, Made: now, Changed: now,
		}
		text := secret
		if i > 0 {
			text = stored.NewGenerated()
		}
		hash, err := stored.HashSecret(text)
		if err != nil {
			return err
		}
		record.Secrets = []stored.StoredSecret{{ID: "1", Hash: hash, Made: now}}
		records[record.ID] = record
	}
	return writeCollection(folder, stored.DirectoryName, records)
}

// writeCollection writes what a [store.Collection] reads.
func writeCollection(folder, name string, records map[string]any) error {
	var shards [store.Shards]map[string]any
	for i := range shards {
		shards[i] = make(map[string]any)
	}
	for key, record := range records {
		shards[store.ShardOf(key)][key] = record
	}
	versions := make(map[string]int)
	for i, inShard := range shards {
		versions[fmt.Sprintf("%02x", i)] = 1
		document := struct {
			Version int            `json:"version"`
			Records map[string]any `json:"records"`
		}{1, inShard}
		if err := writeJSON(filepath.Join(folder, fmt.Sprintf("%s-%02x.json", name, i)), document); err != nil {
			return err
		}
	}
	return writeJSON(filepath.Join(folder, name+".json"), map[string]any{"shards": versions})
}

func writeJSON(path string, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
