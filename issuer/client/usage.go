package client

import (
	"strings"
	"sync"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// Usage knows when each secret of a client was last used, and from where. There
// is one for an issuer in a process, so that a reload forgets nothing. It is safe
// for concurrent use: requests wait neither for each other nor for the store.
//
// What is noted is stored by [Usage.Flush], in batches: a process that dies loses
// what came since. It holds as much as there are secrets, since only those that
// were found right are noted.
type Usage struct {
	documents store.Documents
	now       func() time.Time
	shards    [shardCount]usageShard

	writing    sync.Mutex // one Load, Flush or Forget at a time; guards what follows
	collection *store.Collection
	taken      [store.Shards][]usageKey // whose records are stored where
	damaged    [store.Shards]error      // records that cannot be read
	sending    pendingUses              // what the change that is being stored adds
}

// usageShard is a part of the secrets. A new one, once in its life, keeps others
// of its part waiting for as long as an entry takes to be made.
type usageShard struct {
	mu      sync.RWMutex
	entries map[usageKey]*tracked
}

type usageKey struct{ clientID, secretID string }

// NewUsage returns a usage that knows nothing until [Usage.Load]. now is the
// clock.
func NewUsage(documents store.Documents, now func() time.Time) *Usage {
	u := &Usage{documents: documents, now: now}
	for i := range u.shards {
		u.shards[i].entries = make(map[usageKey]*tracked)
	}
	u.reset()
	return u
}

// Note says that a client has proved with the secret who it is, from the address.
func (u *Usage) Note(clientID, secretID, address string) {
	now, key := u.seconds(), usageKey{clientID, secretID}
	found := u.find(key)
	if found == nil { // what the key was cut from, such as a request, must not stay in memory
		found = u.entry(usageKey{strings.Clone(clientID), strings.Clone(secretID)}, now)
	}
	found.use(now, address)
}

// Expect says that there are such secrets: from now on it is known when they were
// not used. For those that are known already it changes nothing.
func (u *Usage) Expect(clientID string, secretIDs ...string) {
	now := u.seconds()
	for _, id := range secretIDs {
		u.entry(usageKey{clientID, id}, now)
	}
}

// Of returns how a secret was used, stored or not yet; false where nothing is
// known of it.
func (u *Usage) Of(clientID, secretID string) (Used, bool) {
	found := u.find(usageKey{clientID, secretID})
	if found == nil {
		return Used{}, false
	}
	return found.used(), true
}

func (u *Usage) shard(key usageKey) *usageShard { return &u.shards[shardOf(key)] }

// find returns what is known of a secret; nil: nothing.
func (u *Usage) find(key usageKey) *tracked {
	shard := u.shard(key)
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	return shard.entries[key]
}

// entry returns what is known of a secret. Where that is nothing, it is tracked
// since now, and the key is kept.
func (u *Usage) entry(key usageKey, now int64) *tracked {
	shard := u.shard(key)
	shard.mu.RLock()
	found := shard.entries[key]
	shard.mu.RUnlock()
	if found != nil {
		return found
	}
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if found = shard.entries[key]; found == nil {
		found = newTracked(now)
		shard.entries[key] = found
	}
	return found
}

// drop forgets a secret in memory.
func (u *Usage) drop(key usageKey) {
	shard := u.shard(key)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	delete(shard.entries, key)
}

// seconds is the time as it is kept. A clock that was never set still tells that
// there was a use.
func (u *Usage) seconds() int64 { return max(u.now().Unix(), 1) }
