package redis

import (
	"context"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Check tells whether the store answers, within the timeout.
func (s *Store) Check(ctx context.Context) error {
	_, err := s.lastChange(ctx)
	return err
}

// Prepare makes the store ready for a configuration that starts: documents that
// are not sealed with the first key are sealed anew, so that the other keys can go.
// notes are for the log. The error says that Redis does not answer, what it does not
// let us do, or which documents no key opens.
func (s *Store) Prepare(ctx context.Context) (notes []string, err error) {
	if err := s.Check(ctx); err != nil {
		return nil, fmt.Errorf("reaching Redis: %w", err)
	}
	if err := s.tryRights(ctx); err != nil {
		return nil, err
	}
	s.away.Store(nil) // it was there just now, whatever the last look has seen
	resealed, err := s.Reseal(ctx)
	if err != nil {
		return nil, fmt.Errorf("sealing documents with the first encryption key: %w", err)
	}
	notes = s.Advice(ctx)
	if resealed > 0 {
		notes = append(notes, fmt.Sprintf("sealed with the first encryption key: %d documents", resealed))
	}
	return notes, nil
}

// Advice tells which settings of the servers may lose what was acknowledged, as
// far as they let themselves be asked (CONFIG GET).
func (s *Store) Advice(ctx context.Context) (advice []string) {
	var mu sync.Mutex
	_ = s.eachMaster(ctx, func(ctx context.Context, master redis.Cmdable) error {
		for _, setting := range settings {
			value, err := master.ConfigGet(ctx, setting.name).Result()
			if err != nil || value[setting.name] == "" || value[setting.name] == setting.right {
				continue
			}
			mu.Lock()
			advice = append(advice, fmt.Sprintf("Redis has %s %s, expected %s: %s",
				setting.name, value[setting.name], setting.right, setting.why))
			mu.Unlock()
		}
		return nil
	})
	return advice
}

var settings = []struct{ name, right, why string }{
	{"maxmemory-policy", "noeviction", "keys, revocations and replay marks may be evicted"},
	{"appendonly", "yes", "what was acknowledged may be lost when the server ends"},
}

// eachMaster does something at each server that takes writes.
func (s *Store) eachMaster(ctx context.Context, do func(context.Context, redis.Cmdable) error) error {
	bounded, cancel, err := s.patience(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(bounded, func(ctx context.Context, master *redis.Client) error { return do(ctx, master) })
	}
	return do(bounded, s.client)
}
