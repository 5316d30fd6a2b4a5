package redis

import (
	"context"

	"github.com/redis/go-redis/v9"
)

func init() { redis.SetLogger(silence{}) }

// silence drops what the client library would write to stderr, past every log
// and each second of an outage: whoever called gets it as an error.
type silence struct{}

// Printf implements the library's logger.
func (silence) Printf(context.Context, string, ...any) {}
