package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strconv"
)

// collectionIndex is the stored list of the documents of a [Collection]: their
// version by number, two hexadecimal digits.
type collectionIndex struct {
	Shards map[string]uint64 `json:"shards"`
}

// Begin stores the index where it is missing, or lacks what is known: from then on, one
// that is missing was lost.
func (c *Collection) Begin(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	index, err := c.readIndex(ctx)
	if err != nil {
		return err
	}
	behind := index == nil
	for shard, version := range c.known {
		behind = behind || index[shard] < version
	}
	if !behind {
		return nil
	}
	return c.writeIndex(ctx, nil)
}

// announce writes versions into the index, new ones and such as somebody stored who
// could not announce them: what is not there, nobody else looks for. Where that
// fails, the changes are stored, and others see them with the next Change of one
// of the shard's keys.
func (c *Collection) announce(ctx context.Context, changed map[int]uint64) error {
	if len(changed) == 0 {
		return nil
	}
	return c.writeIndex(ctx, changed)
}

func (c *Collection) writeIndex(ctx context.Context, changed map[int]uint64) error {
	var lost bool
	err := c.documents.Update(ctx, c.indexName(), func(old []byte) ([]byte, error) {
		lost = old == nil && len(c.known) > len(changed)
		index, err := decodeIndex(c.indexName(), old)
		if err != nil {
			return nil, err
		}
		// Where the index was lost, all that is known is in it again.
		fresh := make(map[int]uint64, len(index)+len(changed))
		maps.Copy(fresh, index)
		for _, versions := range []map[int]uint64{c.known, changed} {
			for shard, version := range versions {
				fresh[shard] = max(fresh[shard], version)
			}
		}
		if old != nil && maps.Equal(fresh, index) {
			return nil, nil
		}
		return encodeIndex(fresh)
	})
	c.indexed = c.indexed || err == nil
	if err == nil && lost && c.lasting != nil {
		return c.restore(ctx)
	}
	return err
}

// readIndex returns nil where there is none.
func (c *Collection) readIndex(ctx context.Context) (map[int]uint64, error) {
	data, err := c.documents.Load(ctx, c.indexName())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", c.indexName(), err)
	}
	return decodeIndex(c.indexName(), data)
}

func (c *Collection) indexName() string { return c.name + ".json" }

// decodeIndex reads the index strictly; of a missing one, nil, it is nil.
func decodeIndex(name string, data []byte) (map[int]uint64, error) {
	if data == nil {
		return nil, nil
	}
	index := make(map[int]uint64)
	var decoded collectionIndex
	if err := DecodeExactly(data, &decoded); err != nil || decoded.Shards == nil {
		return nil, unreadable(name, `{"shards":{"<two hexadecimal digits>":<number>}}`)
	}
	for digits, version := range decoded.Shards {
		shard, err := strconv.ParseUint(digits, 16, 8)
		if err != nil || digits != indexDigits(int(shard)) || version == 0 {
			return nil, unreadable(name, `"<two hexadecimal digits>":<number above 0>`)
		}
		index[int(shard)] = version
	}
	return index, nil
}

func encodeIndex(index map[int]uint64) ([]byte, error) {
	encoded := collectionIndex{Shards: make(map[string]uint64, len(index))}
	for shard, version := range index {
		encoded.Shards[indexDigits(shard)] = version
	}
	return json.Marshal(encoded)
}

func indexDigits(shard int) string { return fmt.Sprintf("%02x", shard) }
