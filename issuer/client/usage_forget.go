package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// Forget drops what is known of secrets that were removed; without secretIDs, of
// all of the client. Also after an error, this process has forgotten them.
func (u *Usage) Forget(ctx context.Context, clientID string, secretIDs ...string) error {
	u.writing.Lock()
	defer u.writing.Unlock()
	gone := func(id string) bool { return len(secretIDs) == 0 || slices.Contains(secretIDs, id) }
	for i := range u.shards {
		u.shards[i].forget(clientID, gone)
	}
	err := u.collection.Change(ctx, []string{clientID}, func(_ string, old json.RawMessage) (json.RawMessage, error) {
		if old == nil || len(secretIDs) == 0 {
			return store.Delete, nil
		}
		secrets, err := decodeUsage(old)
		if err != nil {
			return nil, fmt.Errorf("client %q: %w", clientID, err)
		}
		maps.DeleteFunc(secrets, func(id string, _ Used) bool { return gone(id) })
		if len(secrets) == 0 {
			return store.Delete, nil
		}
		return encodeUsage(secrets)
	})
	if errors.Is(err, store.ErrGone) {
		return nil // there is nothing left to forget
	}
	return wrapUsage("storing", err)
}

func (s *usageShard) forget(clientID string, gone func(secretID string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.entries, func(key usageKey, _ *tracked) bool { return key.clientID == clientID && gone(key.secretID) })
}
