package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Reseal seals all documents with the first key that are under another one, so
// that the others are needed no longer. It returns how many these were. A document
// under no known key is an error that names it, and is left as it is.
func (s *Store) Reseal(ctx context.Context) (resealed int, err error) {
	names, err := s.names(ctx)
	if err != nil {
		return 0, fmt.Errorf("looking for documents: %w", err)
	}
	var failed []error
	for _, name := range names {
		done, err := s.resealOne(ctx, name)
		if err != nil {
			failed = append(failed, fmt.Errorf("document %q: %w", s.document(name), err))
		} else if done {
			resealed++
		}
	}
	return resealed, errors.Join(failed...)
}

func (s *Store) resealOne(ctx context.Context, name string) (done bool, err error) {
	for attempt := 0; ; attempt++ {
		document, tag, current, err := s.read(ctx, name)
		if err != nil || document == nil || current {
			return false, err
		}
		done, err := s.replace(ctx, name, tag, document)
		if done || err != nil {
			return done, err
		}
		if err := pause(ctx, attempt); err != nil {
			return false, err
		}
	}
}

// names are those of the documents that there are. All keys of an issuer are
// at one server of a cluster; which one, need not be known.
func (s *Store) names(ctx context.Context) ([]string, error) {
	var mu sync.Mutex
	var names []string
	err := s.eachMaster(ctx, func(ctx context.Context, master redis.Cmdable) error {
		keys := master.Scan(ctx, 0, s.document("*"), 1000).Iterator()
		for keys.Next(ctx) {
			mu.Lock()
			names = append(names, strings.TrimPrefix(keys.Val(), s.document("")))
			mu.Unlock()
		}
		return keys.Err()
	})
	slices.Sort(names)
	return slices.Compact(names), err
}
