package redis

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// Mark implements [store.Marks]: of all instances, one is the first.
func (s *Store) Mark(ctx context.Context, m store.Mark) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := s.present(); err != nil {
		return err
	}
	left := m.Until.Sub(s.now())
	if left <= 0 {
		return store.ErrStale
	}
	key, claim := s.base+"mark:"+markName(m), rand.Text()
	result, err := s.write(ctx, key, func(ctx context.Context, pipe redis.Pipeliner) *redis.Cmd {
		// Whole milliseconds, rounded up.
		return pipe.Do(ctx, "SET", key, claim, "NX", "PX", (left+s.slack).Milliseconds()+1)
	})
	if err == nil && result.Val() == nil {
		err = s.claimed(ctx, key, claim)
	}
	if errors.Is(err, store.ErrUsed) {
		return store.ErrUsed
	}
	if err != nil {
		return fmt.Errorf("noting the use of a signed statement: %w", err)
	}
	return nil
}

// claimed tells whether a mark that was there already is our own: its answer
// was lost, and the command sent again.
func (s *Store) claimed(ctx context.Context, key, claim string) error {
	bounded, cancel, err := s.patience(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	switch holder, err := s.client.Get(bounded, key).Result(); {
	case errors.Is(err, redis.Nil), err == nil && holder != claim:
		return store.ErrUsed
	case err != nil:
		return err
	}
	return s.settle(ctx)
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
