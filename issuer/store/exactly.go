package store

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// errNotExact says no more: what stands there may be secret.
var errNotExact = errors.New("expected exactly the members that this program writes, each once and in its order")

var (
	// readStrictly adds to what is refused anyway: a name twice, other capitals, bytes
	// that are no UTF-8, and data behind.
	readStrictly = json.RejectUnknownMembers(true)
	// writeAlike writes what json.Marshal of encoding/json does, in less time.
	writeAlike = jsonv1.DefaultOptionsV1()
)

// rewritten are buffers: of 100,000 records each is written again.
var rewritten = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// DecodeExactly reads JSON, and refuses what json.Marshal of encoding/json would not
// have written of what was read, but for white space and escapes in texts: a member that
// is unknown, stands twice or is spelt with other capitals could hide another, and one
// that is missing stands for what nobody wrote. After an error, nothing in into is to be
// used. The error quotes nothing.
func DecodeExactly(data []byte, into any) error {
	if json.Unmarshal(data, into, readStrictly) != nil {
		return errNotExact
	}
	again := rewritten.Get().(*bytes.Buffer)
	defer rewritten.Put(again)
	again.Reset()
	err := json.MarshalWrite(again, into, writeAlike)
	if err != nil || !bytes.Equal(data, again.Bytes()) && !sameTokens(data, again.Bytes()) {
		return errNotExact
	}
	return nil
}

// sameTokens compares JSON texts as operators' tools leave them, which indent and have
// escapes of their own.
func sameTokens(a, b []byte) bool {
	one, other := jsontext.NewDecoder(bytes.NewReader(a)), jsontext.NewDecoder(bytes.NewReader(b))
	for {
		x, problem := one.ReadToken()
		y, err := other.ReadToken()
		switch {
		case errors.Is(problem, io.EOF) && errors.Is(err, io.EOF):
			return true
		case problem != nil || err != nil || x.Kind() != y.Kind() || x.String() != y.String():
			return false
		}
	}
}
