package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// ErrDiffers says that there is another document of that name.
var ErrDiffers = errors.New("there is another one already, and it is left as it is")

// Copy stores the documents of these names, one after the other, as they are. It
// returns the names of those that there are. One that is there already is right where
// it is the same: after an error, Copy may be called again. Others must change nothing
// in from meanwhile, or what is copied is of no one moment.
func Copy(ctx context.Context, from, to Documents, names []string) (copied []string, err error) {
	for _, name := range names {
		document, err := from.Load(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return copied, fmt.Errorf("reading %s: %w", name, err)
		}
		err = to.Update(ctx, name, func(old []byte) ([]byte, error) {
			switch {
			case old == nil:
				return document, nil
			case bytes.Equal(old, document):
				return nil, nil
			}
			return nil, ErrDiffers
		})
		if err != nil {
			return copied, fmt.Errorf("writing %s: %w", name, err)
		}
		copied = append(copied, name)
	}
	return copied, nil
}

// CollectionNames are those of the documents that a [Collection] may have: its shards,
// and at the end the index that says which there are.
func CollectionNames(name string) []string {
	c := &Collection{name: name}
	names := make([]string, 0, Shards+1)
	for shard := range Shards {
		names = append(names, c.shardName(shard))
	}
	return append(names, c.indexName())
}
