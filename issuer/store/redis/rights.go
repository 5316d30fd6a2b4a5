package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// probe does what changing a document does, to a key and a channel that mean
// nothing. KEYS: the key. ARGV: the channel.
const probe = `
redis.call('GETRANGE', KEYS[1], 0, 0)
redis.call('SET', KEYS[1], '')
redis.call('PUBLISH', ARGV[1], '')
return 1`

// probed is in the name of the key and of the channel.
const probed = "probe"

// tryRights finds out whether what a start does not need works all the same: one
// that could not would look well until a token must be revoked, and count the
// failures of its own clients alone.
func (s *Store) tryRights(ctx context.Context) error {
	if err := s.awaitReplicas(ctx); err != nil {
		return err
	}
	ctx, cancel, err := s.patience(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	subscribed := s.client.Subscribe(ctx, s.topic(probed))
	defer func() { _ = subscribed.Close() }()
	if _, err := subscribed.Receive(ctx); err != nil {
		return fmt.Errorf("listening at Redis: %w", err)
	}
	return nil
}

// awaitReplicas is tryWriting, and waits as long as ctx lasts for replicas: after a
// failover, those that are left take a while to follow the new master.
func (s *Store) awaitReplicas(ctx context.Context) error {
	var last error
	for {
		err := s.tryWriting(ctx)
		switch {
		case errors.Is(err, ErrReplicas):
			last = err
		case err != nil && last != nil && ctx.Err() != nil:
			return last // which says more than that time is up
		default:
			return err
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(replicasEvery):
		}
	}
}

// replicasEvery is how often a start looks for replicas.
const replicasEvery = 100 * time.Millisecond

// tryWriting finds out whether Redis takes writes, and as many replicas as are
// waited for have them.
func (s *Store) tryWriting(ctx context.Context) error {
	key := s.base + probed
	_, err := s.write(ctx, key, func(ctx context.Context, pipe redis.Pipeliner) *redis.Cmd {
		return pipe.Eval(ctx, probe, []string{key}, s.topic(probed))
	})
	if err != nil {
		return fmt.Errorf("writing to Redis: %w", err)
	}
	return nil
}
