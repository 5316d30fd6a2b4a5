package redis

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// replace sets a document where it begins as it did when it was read, counts the
// change, and tells everyone. KEYS: the document, the number of changes. ARGV: how it
// began, what to set, the channel, the name.
var replace = `
if (redis.call('GETRANGE', KEYS[1], 0, ` + fmt.Sprint(tagLength-1) + `) ~= ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('INCR', KEYS[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1`

// Load implements [store.Documents].
func (s *Store) Load(ctx context.Context, name string) ([]byte, error) {
	if err := store.CheckName(name); err != nil {
		return nil, err
	}
	document, _, err := s.read(ctx, name)
	if err == nil && document == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("document %q: %w", s.document(name), err)
	}
	return document, nil
}

// Update implements [store.Documents]. It takes no lock that could be left behind:
// where somebody else was faster, change is called again with what they stored.
func (s *Store) Update(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error {
	if err := store.CheckName(name); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeoutCause(ctx, store.LockTimeout, store.ErrLocked)
	defer cancel()
	leave, err := s.turns.enter(waiting, name)
	if err != nil {
		return fmt.Errorf("document %q: waiting for the turn: %w", s.document(name), err)
	}
	defer leave()
	for attempt := 0; ; attempt++ {
		done, err := s.attempt(ctx, name, change)
		if done || err != nil {
			return err
		}
		if err := pause(waiting, attempt); err != nil {
			return fmt.Errorf("document %q: %w", s.document(name), err)
		}
	}
}

// attempt tells whether nobody else was faster.
func (s *Store) attempt(ctx context.Context, name string, change func(old []byte) ([]byte, error)) (done bool, err error) {
	old, tag, err := s.read(ctx, name)
	if err != nil {
		return false, fmt.Errorf("document %q: %w", s.document(name), err)
	}
	document, err := change(old)
	if err != nil || document == nil {
		return true, err
	}
	sealed := s.sealer.seal(name, document)
	result, err := s.write(ctx, s.document(name), func(pipe redis.Pipeliner) *redis.Cmd {
		return pipe.Eval(ctx, replace, []string{s.document(name), s.changes()}, tag, sealed, s.channel(), name)
	})
	if err != nil {
		return false, fmt.Errorf("document %q: storing: %w", s.document(name), err)
	}
	set, err := result.Int()
	return set == 1, err
}

// read returns the document, nil where there is none, and how it begins.
func (s *Store) read(ctx context.Context, name string) (document []byte, tag string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, "", context.Cause(ctx)
	}
	sealed, err := s.client.Get(ctx, s.document(name)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	document, _, err = s.sealer.open(name, sealed)
	return document, string(sealed[:min(len(sealed), tagLength)]), err
}

// pause waits a little longer each time, and never as long as others do.
func pause(ctx context.Context, attempt int) error {
	longest := time.Millisecond << min(attempt+1, 6)
	timer := time.NewTimer(rand.N(longest)) //nolint:gosec // no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Store) document(name string) string { return s.base + "doc:" + name }
func (s *Store) changes() string             { return s.base + "changes" }
func (s *Store) channel() string             { return s.base + "changed" }
