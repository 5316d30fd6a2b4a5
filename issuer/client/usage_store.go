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

// Load reads what has changed in the store, and writes nothing. What cannot be
// read is an error that names it, and is left as it is; all else was read. Where
// documents are gone, the error is [store.ErrGone]: what was in them begins anew
// when there is something to store there.
func (u *Usage) Load(ctx context.Context) error {
	u.writing.Lock()
	defer u.writing.Unlock()
	return wrapUsage("loading", errors.Join(u.collection.Load(ctx), errors.Join(u.damaged[:]...)))
}

// Flush stores what was noted since the last time. What it could not store, it
// keeps for the next time. Where the store did not say that it has stored
// something, and has, those uses are counted twice.
func (u *Usage) Flush(ctx context.Context) error {
	u.writing.Lock()
	defer u.writing.Unlock()
	err := u.flush(ctx)
	if errors.Is(err, store.ErrGone) {
		u.reset()
		err = errors.Join(err, u.flush(ctx))
	}
	return wrapUsage("storing", err)
}

func (u *Usage) flush(ctx context.Context) error {
	u.sending = u.pending()
	defer func() { u.sending = nil }()
	if len(u.sending) == 0 {
		return nil
	}
	return u.collection.Change(ctx, slices.Collect(maps.Keys(u.sending)), u.add)
}

// pending lists what is to be stored.
func (u *Usage) pending() pendingUses {
	all := make(pendingUses)
	for i := range u.shards {
		u.shards[i].pending(all)
	}
	return all
}

func (s *usageShard) pending(all pendingUses) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for key, one := range s.entries {
		found, ok := one.pending()
		if !ok {
			continue
		}
		if all[key.clientID] == nil {
			all[key.clientID] = make(map[string]pendingUse)
		}
		all[key.clientID][key.secretID] = found
	}
}

// add changes the record of a client. One that cannot be read stays as it is, and
// [Usage.Load] tells of it.
func (u *Usage) add(clientID string, old json.RawMessage) (json.RawMessage, error) {
	secrets := make(map[string]Used)
	if old != nil {
		var err error
		if secrets, err = decodeUsage(old); err != nil {
			return nil, nil //nolint:nilerr // see above
		}
	}
	for id, found := range u.sending[clientID] {
		secrets[id] = secrets[id].plus(found.add)
	}
	return encodeUsage(secrets)
}

// take takes over what is stored of a part of the clients.
func (u *Usage) take(shard int, records map[string]json.RawMessage) error {
	u.damaged[shard] = nil
	before, now := u.taken[shard], make(map[usageKey]bool)
	for clientID, data := range records {
		secrets, err := decodeUsage(data)
		if err != nil {
			u.damaged[shard] = errors.Join(u.damaged[shard], fmt.Errorf("client %q: %w; it is left as it is", clientID, err))
			keep(now, before, clientID)
			continue
		}
		for id, used := range secrets {
			key := usageKey{clientID, id}
			now[key] = true
			u.settle(key, used)
		}
	}
	for _, key := range before {
		if !now[key] {
			u.unsettle(key)
		}
	}
	u.taken[shard] = slices.Collect(maps.Keys(now))
	return nil
}

// keep keeps what was known of a client.
func keep(now map[usageKey]bool, before []usageKey, clientID string) {
	for _, key := range before {
		if key.clientID == clientID {
			now[key] = true
		}
	}
}

// settle notes what is stored of a secret, with what was just added to it.
func (u *Usage) settle(key usageKey, used Used) {
	one := u.entry(key, used.Since.Unix())
	noted := one.stored.Load().noted
	if sent, ok := u.sending[key.clientID][key.secretID]; ok {
		noted = sent.noted
	}
	one.settle(used, noted)
}

// unsettle notes that nothing is stored of a secret any more, since another process
// has forgotten it.
func (u *Usage) unsettle(key usageKey) {
	one := u.find(key)
	if one == nil {
		return
	}
	one.unsettle(u.seconds())
	if found, _ := one.pending(); found.add.Count == 0 {
		u.drop(key)
	}
}

// reset begins anew with the store, where what was there is lost: what other
// processes have noted cannot be told from it.
func (u *Usage) reset() {
	u.collection = store.NewCollection(u.documents, UsageName, u.take)
	clear(u.taken[:])
	clear(u.damaged[:])
	now := u.seconds()
	for i := range u.shards {
		u.shards[i].reset(now)
	}
}

func (s *usageShard) reset(now int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, one := range s.entries {
		one.unsettle(now)
	}
}

func wrapUsage(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s when secrets were last used: %w", doing, err)
}
