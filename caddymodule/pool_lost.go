package caddymodule

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// This file tells documents that were lost from those that are not there yet, and says so.

// lasting names the documents that are there once a configuration has started.
func (k *kept) lasting() []string {
	names := []string{client.DirectoryDocumentName, revocation.DocumentName}
	if k.remote == nil {
		names = append(names, store.JournalName)
	}
	return names
}

// loadClients reads the epochs of clients. [App.Start] writes them before the
// first key: keys without them mean that they were lost, and with them which
// tokens are void.
func (s *shared) loadClients(ctx context.Context) error {
	if err := s.ledger.Load(ctx); err != nil {
		return err
	}
	if _, err := s.ring.Signer(); err != nil || s.ledger.Stored() {
		return nil //nolint:nilerr // there are no keys yet
	}
	return fmt.Errorf("document %q is missing, but keys were made: restore it from a backup, since without it tokens from before "+
		`a client was disabled or removed would be good again; to go on all the same, store {"clients":{}} there`,
		s.prefix+"/"+client.DocumentName)
}

// loadDirectory reads the clients that are made at run time.
func (s *shared) loadDirectory(ctx context.Context) error {
	if err := s.directory.Load(ctx); err != nil || s.directory.Stored() {
		return err
	}
	return s.promised(client.DirectoryDocumentName, "clients made at run time whose part was lost are gone, "+
		"and tokens of one that is made again under its client_id would be good again")
}

// loadRevoked reads which tokens were revoked.
func (s *shared) loadRevoked(ctx context.Context) error {
	if err := s.revoked.Load(ctx); err != nil || s.revoked.Stored() {
		return err
	}
	return s.promised(revocation.DocumentName, "revoked tokens whose part was lost would be good again")
}

// promised is an error where a document that is not there was there before.
func (s *shared) promised(name, loss string) error {
	if !s.ledger.Promises(name) {
		return nil // an earlier version made it when there was something to store
	}
	return fmt.Errorf("document %q is missing, and was there before: restore it from a backup; "+
		`to go on with the parts of it that are there, store {"shards":{}} in its place: %s`, s.prefix+"/"+name, loss)
}

// tellOfFirstKey says, before the first key is made, that every token from before is
// refused: where there were any, somebody must know.
func (a *App) tellOfFirstKey(ctx context.Context) {
	if _, err := a.shared.ring.Signer(); err == nil {
		return
	}
	issuer := zap.String("issuer", a.Issuer)
	if a.shared.ledger.Stored() {
		a.logger.Warn("the signing keys are missing, and were there before: new ones are made, and every token from before is refused", issuer)
		return
	}
	a.logger.Info("nothing is stored of this issuer: signing keys are made, and tokens from before, if there were any, are refused", issuer)
	if a.unused == nil {
		return
	}
	if _, err := a.unused.Load(ctx, keys.DocumentName); err == nil {
		a.logger.Warn("Caddy's storage has keys of this issuer that are not used, since `store` says another place: "+
			"to go on with them, stop, empty that place, and run `caddy oauth2 store copy`", issuer)
	}
}
