package caddymodule

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// overlayName is the storage module of [overlay].
const overlayName = "oauth2_explain"

// overlay is a storage for looking at a configuration: it reads what is stored,
// and keeps what is written to itself. A Caddy that runs on the storage notices
// nothing: not even a lock is taken.
type overlay struct {
	// The storage below as the configuration has it. Default: Caddy's default.
	Below json.RawMessage `json:"below,omitempty" caddy:"namespace=caddy.storage inline_key=module"`

	name    string // another one each time: nothing is shared with others in this process
	storage certmagic.Storage
	mutex   sync.Mutex
	written map[string][]byte
}

// CaddyModule returns the Caddy module information.
func (*overlay) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.storage." + overlayName, New: func() caddy.Module { return new(overlay) }}
}

// Provision makes the storage below.
func (o *overlay) Provision(ctx caddy.Context) error {
	o.name, o.written, o.storage = rand.Text(), make(map[string][]byte), caddy.DefaultStorage
	if o.Below == nil {
		return nil
	}
	module, err := ctx.LoadModule(o, "Below")
	if err != nil {
		return fmt.Errorf("loading the storage: %w", err)
	}
	o.storage, err = module.(caddy.StorageConverter).CertMagicStorage()
	return err
}

// String tells this storage from others.
func (o *overlay) String() string { return o.name }

// CertMagicStorage implements [caddy.StorageConverter].
func (o *overlay) CertMagicStorage() (certmagic.Storage, error) { return o, nil }

// Lock implements [certmagic.Locker]: there is nobody else.
func (*overlay) Lock(context.Context, string) error { return nil }

// Unlock implements [certmagic.Locker].
func (*overlay) Unlock(context.Context, string) error { return nil }

// Store implements [certmagic.Storage].
func (o *overlay) Store(_ context.Context, key string, value []byte) error {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.written[key] = bytes.Clone(value)
	return nil
}

// Load implements [certmagic.Storage].
func (o *overlay) Load(ctx context.Context, key string) ([]byte, error) {
	o.mutex.Lock()
	value, found := o.written[key]
	o.mutex.Unlock()
	if found {
		return value, nil
	}
	// Of the Caddy that runs, it names the run, and a second one would take it
	// for a crash and refuse every proof made before now. What was used is known
	// to that Caddy alone.
	if path.Base(key) == store.JournalName {
		return nil, fs.ErrNotExist
	}
	return o.storage.Load(ctx, key)
}

// Delete implements [certmagic.Storage], and removes nothing that is stored.
func (*overlay) Delete(context.Context, string) error {
	return errors.New("nothing is removed while a configuration is only looked at")
}

// Exists implements [certmagic.Storage].
func (o *overlay) Exists(ctx context.Context, key string) bool {
	_, err := o.Load(ctx, key)
	return err == nil
}

// List implements [certmagic.Storage].
func (o *overlay) List(ctx context.Context, path string, recursive bool) ([]string, error) {
	return o.storage.List(ctx, path, recursive)
}

// Stat implements [certmagic.Storage].
func (o *overlay) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	return o.storage.Stat(ctx, key)
}

// Interface guards.
var (
	_ caddy.StorageConverter = (*overlay)(nil)
	_ certmagic.Storage      = (*overlay)(nil)
)
