package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// collectionShard is one stored document of a [Collection].
type collectionShard struct {
	// Version counts its changes, beginning with 1.
	Version uint64                     `json:"version"`
	Records map[string]json.RawMessage `json:"records"`
}

// apply changes the records of the keys and tells whether one became different.
func (s *collectionShard) apply(keys []string, change func(string, json.RawMessage) (json.RawMessage, error)) (altered bool, err error) {
	for _, key := range keys {
		old, found := s.Records[key]
		fresh, err := change(key, old)
		switch {
		case err != nil:
			return false, err
		case fresh == nil, len(fresh) == 0 && !found, found && bytes.Equal(fresh, old):
			continue
		case len(fresh) == 0:
			delete(s.Records, key)
		default:
			s.Records[key] = fresh
		}
		altered = true
	}
	return altered, nil
}

// decodeShard reads a document strictly; a missing one, nil, is empty.
func (c *Collection) decodeShard(shard int, data []byte) (collectionShard, error) {
	if data == nil {
		return collectionShard{Records: make(map[string]json.RawMessage)}, nil
	}
	name := c.shardName(shard)
	decoded, ok := readShard(data)
	if !ok || decoded.Version == 0 {
		return collectionShard{}, unreadable(name, `{"version":<number>,"records":{...}}`)
	}
	for key := range decoded.Records {
		if ShardOf(key) != shard {
			return collectionShard{}, unreadable(name, "records that belong there")
		}
	}
	return decoded, nil
}

// ErrUnreadable says that a document of a [Collection] is not what this program
// writes. It is left as it is.
var ErrUnreadable = errors.New("it cannot be read")

func unreadable(name, expected string) error {
	return fmt.Errorf("%s: %w: expected %s; it is left as it is: repair it or restore it from a backup", name, ErrUnreadable, expected)
}
