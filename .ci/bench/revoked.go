package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// revokedBefore are the processes that find revoked tokens when they start, and how many.
var revokedBefore = map[string]int{"1,000,000 revoked": 1_000_000}

// writeRevoked leaves as many revoked tokens in Caddy's storage as an issuer would
// have that ran before. None of them is ever presented.
func (p *process) writeRevoked(count int) error {
	issuer, err := p.layout.url("issuer")
	if err != nil {
		return err
	}
	folder := filepath.Join(p.layout.folder, "storage", filepath.FromSlash(store.Prefix(issuer)))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	var shards [store.Shards]map[string]int64
	for i := range shards {
		shards[i] = make(map[string]int64)
	}
	expires := time.Now().Add(24 * time.Hour).Unix()
	for range count {
		digest := make([]byte, 16)
		_, _ = rand.Read(digest) // never fails
		key := encode(digest)
		shards[store.ShardOf(key)][key] = expires
	}
	versions := make(map[string]int)
	for i, records := range shards {
		versions[fmt.Sprintf("%02x", i)] = 1
		document := struct {
			Version int              `json:"version"`
			Records map[string]int64 `json:"records"`
		}{1, records}
		if err := writeJSON(filepath.Join(folder, fmt.Sprintf("%s-%02x.json", revocation.Name, i)), document); err != nil {
			return err
		}
	}
	return writeJSON(filepath.Join(folder, revocation.DocumentName), map[string]any{"shards": versions})
}

func writeJSON(path string, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
