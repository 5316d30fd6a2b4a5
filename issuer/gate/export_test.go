package gate

import (
	"encoding/binary"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// How many tokens that were made here are remembered, and what they may weigh.
const (
	MaxIssued      = maxIssued
	MaxIssuedBytes = maxIssuedBytes
)

// Len is the number of tokens that are remembered since they were used.
func (c *Cache) Len() int {
	c.entries.CleanUp()
	return c.entries.EstimatedSize()
}

// IssuedLen is the number of tokens that are remembered since they were made here.
func (c *Cache) IssuedLen() int { return c.issued.Len() }

// IssuedBytes is what those weigh, and what they are thought to.
func (c *Cache) IssuedBytes() (weight, noted int64) {
	for _, one := range c.issued.Values() {
		weight += int64(one.size)
	}
	return weight, c.issuedBytes.Load()
}

// Fill has the cache remember as many tokens of others as it can, each of which was used.
func (c *Cache) Fill() {
	var key digest
	for i := range 2 * cacheBytes / uint64(entrySize("", new(token.Claims))) {
		binary.BigEndian.PutUint64(key[:], i)
		c.entries.Set(key, &entry{size: entrySize("", new(token.Claims))})
		c.entries.GetIfPresent(key)
	}
	c.entries.CleanUp()
}
