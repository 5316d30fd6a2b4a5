package caddymodule

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/caddyserver/caddy/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// overlayStore is a store for looking at a configuration, as [overlay] is a
// storage: it reads what is stored, and keeps what is written to itself.
type overlayStore struct {
	// The store below as the configuration has it.
	Below json.RawMessage `json:"below,omitempty" caddy:"namespace=oauth2.stores inline_key=module"`

	below keeper
	name  string // another one each time: nothing is shared with others in this process
}

// CaddyModule returns the Caddy module information.
func (*overlayStore) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "oauth2.stores." + overlayName, New: func() caddy.Module { return new(overlayStore) }}
}

// Provision makes the store below.
func (o *overlayStore) Provision(ctx caddy.Context) error {
	module, err := ctx.LoadModule(o, "Below")
	if err != nil {
		return fmt.Errorf("loading the store: %w", err)
	}
	below, ok := module.(keeper)
	if !ok {
		return errors.New("the module is no store of this plugin")
	}
	o.below, o.name = below, rand.Text()
	return nil
}

func (o *overlayStore) identity() string { return o.name }

// open is told what is stored below, and nothing below is told what becomes of it.
func (o *overlayStore) open(issuer string) (*kept, error) {
	below, err := o.below.open(issuer)
	if err != nil {
		return nil, err
	}
	// Without a remote, marks are in memory, and documents are read at once.
	return &kept{documents: &overlayDocuments{below: below.documents, written: store.NewMemory()}, close: below.end}, nil
}

// overlayDocuments reads what is stored below, and writes to memory.
type overlayDocuments struct {
	below   store.Documents
	written *store.Memory
}

// Load implements [store.Documents].
func (o *overlayDocuments) Load(ctx context.Context, name string) ([]byte, error) {
	if document, err := o.written.Load(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		return document, err
	}
	if name == store.JournalName { // see [overlay.Load]
		return nil, fs.ErrNotExist
	}
	return o.below.Load(ctx, name)
}

// Update implements [store.Documents].
func (o *overlayDocuments) Update(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error {
	return o.written.Update(ctx, name, func(old []byte) ([]byte, error) {
		if old != nil {
			return change(old)
		}
		stored, err := o.Load(ctx, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return change(stored)
	})
}

// Interface guards.
var (
	_ caddy.Provisioner = (*overlayStore)(nil)
	_ keeper            = (*overlayStore)(nil)
	_ store.Documents   = (*overlayDocuments)(nil)
)
