package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"
)

// shardLoad is what came of reading a shard and handing it over.
type shardLoad struct {
	version uint64
	err     error
}

// loadShards reads shards and hands them over. The error is that of [Collection.Load].
func (c *Collection) loadShards(ctx context.Context, shards []int) error {
	var gone, unreadable, failed error
	for i, one := range c.loadTogether(ctx, shards) {
		switch {
		case errors.Is(one.err, ErrGone):
			gone = errors.Join(gone, one.err)
		case errors.Is(one.err, ErrUnreadable):
			unreadable = errors.Join(unreadable, one.err)
		case one.err != nil: // those behind it may have been read meanwhile
			failed = cmp.Or(failed, one.err)
		case one.version > 0:
			c.known[shards[i]] = one.version
		}
	}
	if failed != nil {
		return errors.Join(unreadable, failed)
	}
	if unreadable != nil {
		return unreadable // what is gone can be made again, but not beside what may mean anything
	}
	return gone
}

// loadTogether reads as many shards at a time as there are processors: of many, what
// stands in them takes longer than the disk. They are begun in their order, and after
// an error of the place itself no more are: each would only wait for it again.
func (c *Collection) loadTogether(ctx context.Context, shards []int) []shardLoad {
	found := make([]shardLoad, len(shards))
	var begun atomic.Int64
	var failed atomic.Bool
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(shards)) {
		all.Go(func() {
			for i := begun.Add(1) - 1; i < int64(len(shards)) && !failed.Load(); i = begun.Add(1) - 1 {
				found[i] = c.loadShard(ctx, shards[i])
				if err := found[i].err; err != nil && !errors.Is(err, ErrGone) && !errors.Is(err, ErrUnreadable) {
					failed.Store(true)
				}
			}
		})
	}
	all.Wait()
	return found
}

func (c *Collection) loadShard(ctx context.Context, shard int) (one shardLoad) {
	one.err = c.guarded(shard, func() error {
		data, err := c.read(ctx, shard)
		if errors.Is(err, fs.ErrNotExist) {
			return c.gone(c.shardName(shard))
		} else if err != nil {
			return err
		}
		stored, err := c.decodeShard(shard, data)
		if err != nil {
			return err
		}
		err = c.offer(shard, stored)
		one.version = stored.Version
		return err
	})
	return one
}

// guarded makes an error of a panic, which the caller cannot: it is another goroutine.
func (c *Collection) guarded(shard int, load func() error) (err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("loading %s: panic: %v", c.shardName(shard), caught)
		}
	}()
	return load()
}

func (c *Collection) read(ctx context.Context, shard int) ([]byte, error) {
	data, err := c.documents.Load(ctx, c.shardName(shard))
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", c.shardName(shard), err)
	}
	return data, nil
}
