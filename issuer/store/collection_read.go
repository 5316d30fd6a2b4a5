package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// shardReader reads a [collectionShard] token by token: its records stay where they
// stand, since whoever owns them decodes them anyway.
type shardReader struct {
	data   []byte
	tokens *jsontext.Decoder
	failed bool
}

// readShard returns false for what is not exactly a version and records, each key once.
// What stands within a record is JSON, and else its owner's to judge.
func readShard(data []byte) (read collectionShard, ok bool) {
	// Keys are looked at below, and names in records by their owner.
	r := &shardReader{data: data, tokens: jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true))}
	r.delimiter('{')
	r.name("version")
	read.Version = r.number()
	r.name("records")
	read.Records = r.records()
	r.delimiter('}')
	return read, !r.failed && r.ended()
}

func (r *shardReader) token() jsontext.Token {
	token, err := r.tokens.ReadToken()
	r.failed = r.failed || err != nil
	return token
}

func (r *shardReader) delimiter(expected jsontext.Kind) {
	r.failed = r.failed || r.token().Kind() != expected
}

func (r *shardReader) name(expected string) {
	r.failed = r.failed || r.text() != expected
}

func (r *shardReader) text() string {
	token := r.token()
	if r.failed || token.Kind() != '"' {
		r.failed = true
		return ""
	}
	return token.String()
}

// number reads one that is written as this program does.
func (r *shardReader) number() uint64 {
	token := r.token()
	if r.failed || token.Kind() != '0' {
		r.failed = true
		return 0
	}
	number, err := strconv.ParseUint(token.String(), 10, 64)
	r.failed = err != nil
	return number
}

// usualRecord is a little more than most records have, in bytes: a map need not grow then.
const usualRecord = 400

func (r *shardReader) records() map[string]json.RawMessage {
	records := make(map[string]json.RawMessage, len(r.data)/usualRecord)
	r.delimiter('{')
	for !r.failed && r.tokens.PeekKind() == '"' {
		key := r.text()
		if _, twice := records[key]; twice {
			r.failed = true
		}
		records[key] = r.value()
	}
	r.delimiter('}')
	return records
}

// value is a part of the data, capped: an append must not run into what follows.
func (r *shardReader) value() json.RawMessage {
	value, err := r.tokens.ReadValue()
	if err != nil {
		r.failed = true
		return nil
	}
	end := int(r.tokens.InputOffset())
	return r.data[end-len(value) : end : end]
}

func (r *shardReader) ended() bool {
	_, err := r.tokens.ReadToken()
	return errors.Is(err, io.EOF)
}
