package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// An era is a time of which all replay marks are known. It has a key of its own
// beside the marks, and each mark is taken in the era that is there: where the key
// is gone, marks are gone with it, as after FLUSHALL or a restart of a Redis that
// keeps no file. Else all that was used before would pass once more.
type era struct {
	text   string // what Redis has: a name that is used once, and the strictness
	strict store.Strictness
}

// swapEra begins an era in the place of another. KEYS: the era. ARGV: the text
// that it replaces, empty for none, and its own. It returns what is there then.
const swapEra = `
local there = redis.call('GET', KEYS[1]) or ''
if there ~= ARGV[1] then return there end
redis.call('SET', KEYS[1], ARGV[2])
return ARGV[2]`

func newEra(strict store.Strictness) era {
	return era{text: fmt.Sprintf("%s %d %d", rand.Text(), strict.Since, strict.Until), strict: strict}
}

// parseEra returns nil for what is no era.
func parseEra(text string) *era {
	words := strings.Split(text, " ")
	if len(words) != 3 || words[0] == "" {
		return nil
	}
	since, bad := strconv.ParseUint(words[1], 10, 32)
	until, worse := strconv.ParseUint(words[2], 10, 32)
	if bad != nil || worse != nil || (since != 0 || until != 0) && until <= since {
		return nil
	}
	return &era{text: text, strict: store.Strictness{Since: uint32(since), Until: uint32(until)}}
}

// Resume begins to take marks; before, Mark answers [store.ErrClosed]. first says
// that there cannot have been any before, since nothing else is stored of the issuer
// either. longest is the longest time for which a statement can be used, leeway
// included. Another call does no harm.
func (s *Store) Resume(ctx context.Context, first bool, longest time.Duration) error {
	s.longest.Store(max(s.longest.Load(), int64(longest)))
	there, err := s.storedEra(ctx)
	if err == nil && there == "" && first && s.era.Load() == nil {
		there, err = s.begin(ctx, "", newEra(store.Strictness{}))
	}
	if err == nil {
		err = s.follow(ctx, there)
	}
	if err != nil {
		return fmt.Errorf("resuming replay marks: %w", err)
	}
	return nil
}

// Restriction tells what is refused since marks were lost: what was made at or
// before since, and, before until, what does not say when it was made. Both are
// zero where every use is known, and before Resume.
func (s *Store) Restriction() (since, until time.Time) {
	if known := s.era.Load(); known != nil {
		since, until = known.strict.Times()
	}
	return since, until
}

// follow puts in force the era that Redis has. One that is gone is followed by a
// strict one, and so is one that somebody began who knew of no marks, while we
// know that there were some.
func (s *Store) follow(ctx context.Context, there string) (err error) {
	for {
		known, found := s.era.Load(), parseEra(there)
		if found != nil && (known == nil || found.text == known.text || found.strict != store.Strictness{}) {
			s.era.Store(found)
			return nil
		}
		next := newEra(store.StrictFrom(s.now(), time.Duration(s.longest.Load())))
		if there, err = s.begin(ctx, there, next); err != nil {
			return err
		}
	}
}

// lookAtEra follows it where marks are taken, so that all who took some know of a
// loss soon after it.
func (s *Store) lookAtEra(ctx context.Context) error {
	known := s.era.Load()
	if known == nil {
		return nil
	}
	there, err := s.storedEra(ctx)
	if err != nil || there == known.text {
		return err
	}
	return s.follow(ctx, there)
}

func (s *Store) begin(ctx context.Context, there string, next era) (string, error) {
	result, err := s.write(ctx, s.eraKey(), func(ctx context.Context, pipe redis.Pipeliner) *redis.Cmd {
		return pipe.Eval(ctx, swapEra, []string{s.eraKey()}, there, next.text)
	})
	if err != nil {
		return "", err
	}
	return result.Text()
}

// storedEra is empty where there is none.
func (s *Store) storedEra(ctx context.Context) (string, error) {
	ctx, cancel, err := s.patience(ctx)
	if err != nil {
		return "", err
	}
	defer cancel()
	there, err := s.client.Get(ctx, s.eraKey()).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return there, err
}

func (s *Store) eraKey() string { return s.base + "era" }
