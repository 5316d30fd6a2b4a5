package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
)

// ErrReplicas says that a write was not seen by as many replicas as asked for. It
// was made, and may be lost when a replica takes over.
var ErrReplicas = errors.New("too few replicas have the write")

// errTimeout is the cause where a server did not answer in time.
var errTimeout = errors.New("no answer in time")

// Store is one issuer's part of a Redis. It is safe for concurrent use, and
// implements [store.Documents] and [store.Marks].
type Store struct {
	client  redis.UniversalClient
	sealer  *sealer
	base    string // of all keys
	timeout time.Duration
	slack   time.Duration
	wait    int
	now     func() time.Time
	queue   store.Queue

	// away is why Redis did not answer, or took no writes, when it was last looked
	// for: requests do not each wait for it. nil: it did.
	away atomic.Pointer[error]

	era     atomic.Pointer[era] // in which marks are taken; nil: not resumed
	longest atomic.Int64        // life of a statement, as a time.Duration

	// refused is set by a write that failed, until the next look finds out why.
	refused atomic.Bool
}

// ErrAway says that Redis did not answer a moment ago, or took no writes, and was
// not asked again.
var ErrAway = errors.New("the store does not answer")

// New makes a store. It connects to nothing yet. The error says what of the
// configuration cannot be; it holds no password and no key.
func New(config Config) (*Store, error) {
	options, err := config.options()
	if err != nil {
		return nil, err
	}
	sealer, err := newSealer(config.EncryptionKeys)
	if err != nil {
		return nil, err
	}
	s := &Store{
		client: redis.NewUniversalClient(options), sealer: sealer,
		base:    cmp.Or(config.Prefix, DefaultPrefix) + ":{" + store.Prefix(config.Issuer) + "}:",
		timeout: options.ReadTimeout, slack: config.Slack, wait: config.WaitReplicas, now: config.Now,
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Close ends all connections.
func (s *Store) Close() error { return s.client.Close() }

// patience bounds one operation. Where ctx has ended, that is the error.
func (s *Store) patience(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	bounded, cancel := context.WithTimeoutCause(ctx, s.timeout, errTimeout)
	return bounded, cancel, nil
}

// pipeline collects commands for the server that has the key. Redirections of a
// cluster are followed, unless replicas are waited for: WAIT tells of what was
// written over its own connection.
func (s *Store) pipeline(ctx context.Context, key string) (redis.Pipeliner, error) {
	cluster, ok := s.client.(*redis.ClusterClient)
	if !ok || s.wait == 0 {
		return s.client.Pipeline(), nil
	}
	node, err := cluster.MasterForKey(ctx, key)
	if err != nil {
		return nil, err
	}
	return node.Pipeline(), nil
}

// write runs a command and waits for the replicas. Where the answer was lost it
// may run twice: each command is made so that this does no harm.
func (s *Store) write(ctx context.Context, key string, command func(context.Context, redis.Pipeliner) *redis.Cmd) (*redis.Cmd, error) {
	ctx, cancel, err := s.patience(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	result, err := s.send(ctx, key, command)
	if err != nil {
		s.refused.Store(true)
	}
	return result, err
}

// send is [Store.write] within the patience of ctx.
func (s *Store) send(ctx context.Context, key string, command func(context.Context, redis.Pipeliner) *redis.Cmd) (*redis.Cmd, error) {
	pipe, err := s.pipeline(ctx, key)
	if err != nil {
		return nil, err
	}
	result := command(ctx, pipe)
	var seen *redis.Cmd
	if s.wait > 0 {
		seen = pipe.Do(ctx, "WAIT", s.wait, (s.timeout / 2).Milliseconds())
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	if seen == nil {
		return result, nil
	}
	if count, err := seen.Int(); err != nil || count < s.wait {
		return nil, fmt.Errorf("%w: %d of %d", ErrReplicas, count, s.wait)
	}
	return result, nil
}

// settle makes sure that replicas have what was written before, by whomever:
// they take writes in order.
func (s *Store) settle(ctx context.Context) error {
	if s.wait == 0 {
		return nil
	}
	key := s.base + "settled"
	_, err := s.write(ctx, key, func(ctx context.Context, pipe redis.Pipeliner) *redis.Cmd {
		return pipe.Do(ctx, "SET", key, "")
	})
	return err
}
