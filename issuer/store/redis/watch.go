package redis

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// pollEvery is how often the last change is looked at: a message may be lost
// with its connection, and even so a change must be in force within a second.
const pollEvery = time.Second / 2

// Watch calls changed at once, and whenever a document was changed, by whomever;
// after an error of it, again within a second or so. alive gets nil, or why Redis
// does not answer, after each look. Watch returns when ctx ends.
func (s *Store) Watch(ctx context.Context, changed func() error, alive func(error)) {
	messages := s.client.Subscribe(ctx, s.changed())
	defer func() { _ = messages.Close() }()
	defer s.away.Store(false) // nobody looks any more
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	known, first := "", true
	for {
		last, err := s.lastChange(ctx)
		if ctx.Err() != nil {
			return
		}
		s.away.Store(err != nil)
		alive(err)
		// Any other mark: a replica that took over may have an earlier one.
		if err == nil && (first || last != known) && changed() == nil {
			known, first = last, false
		}
		select {
		case <-ctx.Done():
			return
		case <-messages.Channel():
		case <-ticker.C:
		}
	}
}

// lastChange is the mark of the last change, empty where there was none.
func (s *Store) lastChange(ctx context.Context) (string, error) {
	ctx, cancel, err := s.patience(ctx)
	if err != nil {
		return "", err
	}
	defer cancel()
	last, err := s.client.Get(ctx, s.changed()).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return last, err
}
