package redis

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// Mark implements [store.Marks]: of all instances, one is the first.
func (s *Store) Mark(ctx context.Context, m store.Mark) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if s.away.Load() {
		return ErrAway
	}
	left := m.Until.Sub(s.now())
	if left <= 0 {
		return store.ErrStale
	}
	key := s.base + "mark:" + markName(m)
	result, err := s.write(ctx, key, func(pipe redis.Pipeliner) *redis.Cmd {
		// Whole milliseconds, rounded up.
		return pipe.Do(ctx, "SET", key, "1", "NX", "PX", (left+s.slack).Milliseconds()+1)
	})
	if err != nil {
		return fmt.Errorf("noting the use of a signed statement: %w", err)
	}
	if result.Val() == nil {
		return store.ErrUsed
	}
	return nil
}

// markName hashes what names a mark: an ID may be long, and is nobody's business.
func markName(m store.Mark) string {
	hash := sha256.New()
	for _, part := range [...]string{m.Kind, m.Owner, m.ID} {
		_ = binary.Write(hash, binary.BigEndian, uint64(len(part)))
		_, _ = hash.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(hash.Sum(nil))
}

// Interface guards.
var (
	_ store.Documents = (*Store)(nil)
	_ store.Marks     = (*Store)(nil)
)
