package store

import (
	"context"
	"errors"
	"io/fs"
	"sync"
)

// searchers is how many documents are looked for at the same time: a storage behind a
// network takes a while for each.
const searchers = 8

// Search reads the shards that are there and not in the index: it was put back from an
// earlier backup or made anew, or whoever stored them ended before that could be told.
// It is for a start, and has the errors of [Collection.Load].
func (c *Collection) Search(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var problems error
	for shard, found := range c.unlisted(ctx) {
		problem := found.err
		if problem == nil {
			problem = c.takeShard(shard, found.data)
		}
		problems = errors.Join(problems, problem)
	}
	return problems
}

// loaded is what came of reading a document.
type loaded struct {
	data []byte
	err  error
}

// unlisted reads the shards that are not known and there.
func (c *Collection) unlisted(ctx context.Context) map[int]loaded {
	var mu sync.Mutex
	var all sync.WaitGroup
	there, turns := make(map[int]loaded), make(chan struct{}, searchers)
	for shard := range Shards {
		if c.known[shard] != 0 {
			continue
		}
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			var found loaded
			found.err = c.guarded(shard, func() (err error) {
				found.data, err = c.read(ctx, shard)
				return err
			})
			if errors.Is(found.err, fs.ErrNotExist) {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			there[shard] = found
		})
	}
	all.Wait()
	return there
}
