package gate

import (
	"crypto/sha256"
	"sync/atomic"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/maypok86/otter/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// cacheBytes bounds what a [Cache] remembers, in bytes: some 40,000 tokens.
const cacheBytes = 64 << 20

// Cache remembers tokens whose signature, typ, issuer and identity were found
// good, so that the next request costs a look-up. It is keyed by a hash of the
// token and holds no token. It belongs to one configuration; everything that
// depends on the gate, the clock or the client is judged again for each request,
// also whether the gate takes tokens of that issuer at all.
type Cache struct {
	entries *otter.Cache[digest, *entry]
	// issued are those that this process has made last. They have a place of their
	// own, in the order of their last use: entries keeps what is used often, and a
	// token that is about to be used for the first time would have no chance there.
	issued *lru.Cache[digest, *entry]
	// issuedBytes is what these weigh.
	issuedBytes atomic.Int64
}

// maxIssued is how many tokens that this process has made are remembered before they
// are used twice, some 4 MB; where they are long, less, so that they weigh no more
// than maxIssuedBytes.
const (
	maxIssued      = 8192
	maxIssuedBytes = 16 << 20
)

type digest [sha256.Size]byte

// entry is a remembered token.
type entry struct {
	claims token.Claims // in place: with many, objects are what the collector of garbage goes through
	issuer Issuer       // who has verified or made it
	size   uint32
	// keys is the generation of the keys that verified or made the signature: with
	// another one the key may be gone, and the token is verified again.
	keys uint64
	// clients is the generation of the client states in which the client was
	// last found to be entitled; 0: never.
	clients atomic.Uint64
}

// NewCache makes an empty cache.
func NewCache() *Cache {
	cache := &Cache{entries: otter.Must(&otter.Options[digest, *entry]{
		MaximumWeight: cacheBytes,
		Weigher:       func(_ digest, e *entry) uint32 { return e.size },
		// A goroutine for each new token would cost more than what it does.
		Executor: func(keepOrder func()) { keepOrder() },
	})}
	// The error is that of a size below one.
	cache.issued, _ = lru.NewWithEvict(maxIssued, func(_ digest, e *entry) { cache.issuedBytes.Add(-int64(e.size)) })
	return cache
}

// add remembers a token that was just made. No text is made twice: each has a `jti`
// of its own.
func (c *Cache) add(key digest, made *entry) {
	c.issuedBytes.Add(int64(made.size))
	c.issued.Add(key, made)
	for c.issuedBytes.Load() > maxIssuedBytes {
		if _, _, more := c.issued.RemoveOldest(); !more {
			return
		}
	}
}

// find returns what is remembered of a token. Only where it was not used lately, a
// lock is taken.
func (c *Cache) find(key digest) (*entry, bool) {
	if known, hit := c.entries.GetIfPresent(key); hit {
		return known, true
	}
	known, hit := c.issued.Get(key)
	if hit && known.clients.Load() != 0 { // the second time: many tokens are used once
		c.entries.Set(key, known)
	}
	return known, hit
}

func (c *Cache) forget(key digest) {
	c.entries.Invalidate(key)
	c.issued.Remove(key)
}

// entrySize estimates the memory of an entry: the texts of the claims are about as
// large as the token, to which comes what lists and maps need for each of them, and
// what headers and the cache itself do.
func entrySize(raw string, claims *token.Claims) uint32 {
	lists := cap(claims.Audience) + cap(claims.Scope) + cap(claims.Roles)
	return uint32(len(raw)*2 + lists*textSize + sizeOf(claims.Extra) + 400) //nolint:gosec // token.MaxLength bounds it
}

// What a text in a list needs apart from its letters, which are rounded up; a value of
// any type, with its place in a list or a map; and a map.
const (
	textSize  = 32
	valueSize = 80
	mapSize   = 320
)

// sizeOf estimates what a value needs apart from the letters of its texts: `[{},{}]`
// is thirty times as large in memory as on the wire.
func sizeOf(value any) (size int) {
	switch value := value.(type) {
	case map[string]any:
		if len(value) > 0 {
			size = mapSize
		}
		for _, member := range value {
			size += valueSize + sizeOf(member)
		}
	case []any:
		for _, element := range value {
			size += valueSize + sizeOf(element)
		}
	}
	return size
}
