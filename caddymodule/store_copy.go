package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// copiedNames are the documents of an issuer in the order in which they are copied.
// Keys without clients.json are no first start, so a copy that ended half-way is none
// that Caddy starts with: the one comes first and the other last.
func copiedNames() []string {
	return slices.Concat(
		[]string{keys.DocumentName},
		store.CollectionNames(client.DirectoryName), store.CollectionNames(revocation.Name), store.CollectionNames(client.UsageName),
		[]string{revocation.FormerDocumentName, proof.NonceDocument, client.DocumentName},
	)
}

// copyState copies all that is stored of an issuer, and returns what that was.
func copyState(ctx context.Context, from, to *storedState) (copied []string, err error) {
	if from.issuer != to.issuer {
		return nil, fmt.Errorf("the configurations have different issuers, %s and %s: expected the same", from.issuer, to.issuer)
	}
	if from.identity == to.identity {
		return nil, errors.New("the configurations have the same store: expected two")
	}
	for _, name := range []string{keys.DocumentName, client.DocumentName} {
		if _, err := from.documents.Load(ctx, name); err != nil {
			return nil, fmt.Errorf("reading what is to be copied: %w", notThere(err))
		}
	}
	if err := to.takeMarks(ctx, from); err != nil {
		return nil, err
	}
	return store.Copy(ctx, from.documents, to.documents, copiedNames())
}

func notThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: no issuer has run on this store, or a part of it was lost", err)
	}
	return err
}

// takeMarks has what was used before known as far as it can be. It comes first: a start
// without it must not be taken for one that lost nothing.
func (s *storedState) takeMarks(ctx context.Context, from *storedState) error {
	if s.remote != nil {
		return nil // marks have no documents there
	}
	if from.remote == nil {
		_, err := store.Copy(ctx, from.documents, s.documents, []string{store.JournalName})
		return err
	}
	return s.documents.Update(ctx, store.JournalName, func(old []byte) ([]byte, error) {
		if old != nil {
			return nil, nil
		}
		return store.LostJournal(), nil
	})
}
