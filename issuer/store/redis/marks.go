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

// mark takes a mark in the era that the caller knows. KEYS: the mark, the era.
// ARGV: the claim, for how many milliseconds, the era. It returns 1, 0 where the
// mark was there, or the text of another era.
const mark = `
local era = redis.call('GET', KEYS[2]) or ''
if era ~= ARGV[3] then return era end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0`

// Mark implements [store.Marks]: of all instances, one is the first.
func (s *Store) Mark(ctx context.Context, m store.Mark) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := s.present(); err != nil {
		return err
	}
	for {
		known := s.era.Load()
		if known == nil {
			return store.ErrClosed
		}
		if known.strict.Refuses(m.Made, s.now()) {
			return store.ErrStale
		}
		another, err := s.markIn(ctx, m, known)
		if err == nil && another != nil {
			err = s.follow(ctx, *another)
		}
		switch {
		case err == nil && another != nil:
		case err == nil, errors.Is(err, store.ErrUsed), errors.Is(err, store.ErrStale):
			return err
		default:
			return fmt.Errorf("noting the use of a signed statement: %w", err)
		}
	}
}

// markIn takes the mark, unless there is another era: then it returns its text.
func (s *Store) markIn(ctx context.Context, m store.Mark, known *era) (another *string, err error) {
	left := m.Until.Sub(s.now())
	if left <= 0 {
		return nil, store.ErrStale
	}
	key, claim := s.base+"mark:"+markName(m), rand.Text()
	result, err := s.write(ctx, key, func(ctx context.Context, pipe redis.Pipeliner) *redis.Cmd {
		// Whole milliseconds, rounded up.
		return pipe.Eval(ctx, mark, []string{key, s.eraKey()}, claim, (left+s.slack).Milliseconds()+1, known.text)
	})
	if err != nil {
		return nil, err
	}
	switch answer := result.Val().(type) {
	case string:
		return &answer, nil
	case int64:
		if answer == 1 {
			return nil, nil
		}
		return nil, s.claimed(ctx, key, claim)
	default:
		return nil, fmt.Errorf("an answer of type %T", answer)
	}
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
