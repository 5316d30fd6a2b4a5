package redis

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// pollEvery is how often the number of changes is looked at: a message may be
// lost with its connection.
const pollEvery = time.Second

// Watch calls changed whenever a document was changed, by whomever, and alive
// with nil or an error after each look whether Redis answers. It returns when ctx ends.
func (s *Store) Watch(ctx context.Context, changed func(), alive func(error)) {
	messages := s.client.Subscribe(ctx, s.channel())
	defer func() { _ = messages.Close() }()
	defer s.away.Store(false) // nobody looks any more
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	known := int64(-1)
	for {
		number, err := s.client.Get(ctx, s.changes()).Int64()
		if errors.Is(err, redis.Nil) {
			number, err = 0, nil
		}
		if ctx.Err() != nil {
			return
		}
		s.away.Store(err != nil)
		alive(err)
		// Any other number: a replica that took over may have fewer.
		if err == nil && number != known {
			known = number
			changed()
		}
		select {
		case <-ctx.Done():
			return
		case <-messages.Channel():
		case <-ticker.C:
		}
	}
}
