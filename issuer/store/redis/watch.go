package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// pollEvery is how often the last change is looked at: a message may be lost
// with its connection, and even so a change must be in force within a second.
const pollEvery = time.Second / 2

// Watch calls changed at once, and whenever a document was changed, by whomever;
// after an error of it, again within a second or so. alive gets nil, or why Redis
// does not answer or takes no writes, after each look. Watch returns when ctx ends.
func (s *Store) Watch(ctx context.Context, changed func() error, alive func(error)) {
	messages := s.client.Subscribe(ctx, s.changed())
	defer func() { _ = messages.Close() }()
	defer s.away.Store(nil) // nobody looks any more
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	known, first := "", true
	for {
		last, err := s.look(ctx)
		if ctx.Err() != nil {
			return
		}
		s.noteAway(err)
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

// look tells the last change, and why Redis cannot be used: what refuses writes
// (its memory is full, a replica, a user without the right to) may answer reads.
func (s *Store) look(ctx context.Context) (last string, err error) {
	if last, err = s.lastChange(ctx); err != nil {
		return "", err
	}
	if s.refused.Swap(false) {
		if err := s.tryWriting(ctx); err != nil {
			return "", err
		}
	}
	return last, s.lookAtEra(ctx)
}

func (s *Store) noteAway(err error) {
	if err == nil {
		s.away.Store(nil)
		return
	}
	reason := fmt.Errorf("%w: %w", ErrAway, err)
	s.away.Store(&reason)
}

// present is an error while Redis is away.
func (s *Store) present() error {
	if reason := s.away.Load(); reason != nil {
		return *reason
	}
	return nil
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
