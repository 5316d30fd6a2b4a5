package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// replace sets a document where it begins as it did when it was read, marks the
// change, and tells everyone. KEYS: the document, the last change. ARGV: how the
// document began, what to set, the mark, the channel.
var replace = `
if redis.call('GETRANGE', KEYS[1], 0, ` + fmt.Sprint(tagLength-1) + `) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[3])
return 1`

// Load implements [store.Documents].
func (s *Store) Load(ctx context.Context, name string) ([]byte, error) {
	if err := store.CheckName(name); err != nil {
		return nil, err
	}
	document, _, _, err := s.read(ctx, name)
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
	leave, err := s.queue.Enter(waiting, name)
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
	// Also for those who waited for their turn: each of them would wait once more.
	if err := s.present(); err != nil {
		return false, fmt.Errorf("document %q: %w", s.document(name), err)
	}
	old, tag, _, err := s.read(ctx, name)
	if err != nil {
		return false, fmt.Errorf("document %q: %w", s.document(name), err)
	}
	document, err := change(old)
	if err != nil {
		return true, err
	}
	if document == nil {
		// What change found done may be a write that too few replicas had.
		err = s.settle(ctx)
		done = true
	} else {
		done, err = s.replace(ctx, name, tag, document)
	}
	if err != nil {
		return false, fmt.Errorf("document %q: storing: %w", s.document(name), err)
	}
	return done, nil
}

// replace stores a document where it still begins with the tag.
func (s *Store) replace(ctx context.Context, name, tag string, document []byte) (done bool, err error) {
	sealed := s.sealer.seal(s.document(name), document)
	result, err := s.write(ctx, s.document(name), func(ctx context.Context, pipe redis.Pipeliner) *redis.Cmd {
		// A number would not do as a mark: after a failover it may come again.
		return pipe.Eval(ctx, replace, []string{s.document(name), s.changed()}, tag, sealed, rand.Text(), s.changed())
	})
	if err != nil {
		return false, err
	}
	set, err := result.Int()
	return set == 1, err
}

// read returns the document, nil where there is none, how it begins, and whether
// it is under the first key.
func (s *Store) read(ctx context.Context, name string) (document []byte, tag string, current bool, err error) {
	ctx, cancel, err := s.patience(ctx)
	if err != nil {
		return nil, "", false, err
	}
	defer cancel()
	sealed, err := s.client.Get(ctx, s.document(name)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, "", false, nil
	}
	if err != nil {
		return nil, "", false, err
	}
	document, current, err = s.sealer.open(s.document(name), sealed)
	return document, string(sealed[:min(len(sealed), tagLength)]), current, err
}

// pause waits a little longer each time, and never as long as others do.
func pause(ctx context.Context, attempt int) error {
	longest := time.Millisecond << min(attempt+1, 6)
	timer := time.NewTimer(mathrand.N(longest)) //nolint:gosec // no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Store) document(name string) string { return s.base + documentsPart + name }

// changed is the key of the mark of the last change, and the channel on which
// changes are told.
func (s *Store) changed() string { return s.base + "changed" }

// documentsPart is in the keys of documents behind the base.
const documentsPart = "doc:"
