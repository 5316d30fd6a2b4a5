package redis

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Prepare makes the store ready for a configuration that starts: documents that are
// not sealed with the first key are sealed anew, so that the other keys can go. notes
// say what of Redis' own settings could lose what is stored. The error says that
// Redis cannot be reached, or which document no key opens.
func (s *Store) Prepare(ctx context.Context) (notes []string, err error) {
	node, err := s.node(ctx, s.base)
	if err != nil {
		return nil, err
	}
	if err := node.Ping(ctx).Err(); err != nil {
		return nil, fmt.Errorf("reaching Redis: %w", err)
	}
	documents := s.document("")
	found := node.Scan(ctx, 0, globEscaper.Replace(documents)+"*", 1000).Iterator()
	for found.Next(ctx) {
		if err := s.sealAnew(ctx, strings.TrimPrefix(found.Val(), documents)); err != nil {
			return nil, err
		}
	}
	return settings(ctx, node), found.Err()
}

// globEscaper makes a pattern that matches a text alone.
var globEscaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

func (s *Store) sealAnew(ctx context.Context, name string) error {
	sealed, err := s.client.Get(ctx, s.document(name)).Bytes()
	if err != nil {
		return fmt.Errorf("document %q: %w", s.document(name), err)
	}
	if _, current, err := s.sealer.open(name, sealed); err != nil || current {
		if err != nil {
			err = fmt.Errorf("document %q: %w", s.document(name), err)
		}
		return err
	}
	return s.Update(ctx, name, func(old []byte) ([]byte, error) { return old, nil })
}

// settings says which of Redis' own are unfit. One that may not be asked for is
// taken for fit.
func settings(ctx context.Context, node redis.UniversalClient) (notes []string) {
	value := func(name string) string { return node.ConfigGet(ctx, name).Val()[name] }
	if policy := value("maxmemory-policy"); policy != "" && policy != "noeviction" && value("maxmemory") != "0" {
		notes = append(notes, "Redis may drop keys when its memory is full (maxmemory-policy "+policy+"): expected noeviction")
	}
	if value("appendonly") == "no" {
		notes = append(notes, "Redis writes no append-only file (appendonly no): what was stored since its last snapshot is lost when it stops")
	}
	return notes
}
