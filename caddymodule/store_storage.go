package caddymodule

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

func init() { caddy.RegisterModule(new(StorageStore)) }

// StorageStore keeps the state in the storage that Caddy is configured with.
type StorageStore struct{ storage certmagic.Storage }

// CaddyModule returns the Caddy module information.
func (*StorageStore) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "oauth2.stores.storage", New: func() caddy.Module { return new(StorageStore) }}
}

// Provision takes Caddy's storage.
func (s *StorageStore) Provision(ctx caddy.Context) error {
	s.storage = ctx.Storage()
	return nil
}

func (s *StorageStore) identity() string { return storageIdentity(s.storage) }

func (s *StorageStore) open(issuer string) (*kept, error) {
	return &kept{documents: store.OverStorage(s.storage, store.Prefix(issuer))}, nil
}

// storageIdentity tells storages apart by how they are configured: Caddy makes
// a new one for each configuration. It is hashed since it may hold a password.
func storageIdentity(storage certmagic.Storage) string {
	text := fmt.Sprintf("%T", storage)
	if named, ok := storage.(fmt.Stringer); ok {
		text += named.String()
	}
	if encoded, err := json.Marshal(storage); err == nil {
		text += string(encoded)
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
}

// Interface guards.
var (
	_ caddy.Provisioner = (*StorageStore)(nil)
	_ keeper            = (*StorageStore)(nil)
)
