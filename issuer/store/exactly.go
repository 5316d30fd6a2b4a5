package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// errNotExact says no more: what stands there may be secret.
var errNotExact = errors.New("expected exactly the members that this program writes, each once and in its order")

// DecodeExactly reads JSON as json.Unmarshal does, and refuses what json.Marshal would
// not have written of it, but for white space and escapes in texts: a member that is
// unknown, stands twice or is spelt with other capitals, all of which encoding/json
// lets pass, could hide another. After an error, nothing in into is to be used. The
// error quotes nothing.
func DecodeExactly(data []byte, into any) error {
	if json.Unmarshal(data, into) != nil {
		return errNotExact
	}
	again, err := json.Marshal(into)
	if err != nil || !bytes.Equal(data, again) && !sameTokens(data, again) {
		return errNotExact
	}
	return nil
}

// sameTokens compares JSON texts as operators' tools leave them, which indent and have
// escapes of their own.
func sameTokens(a, b []byte) bool {
	if !utf8.Valid(a) {
		return false
	}
	one, other := json.NewDecoder(bytes.NewReader(a)), json.NewDecoder(bytes.NewReader(b))
	one.UseNumber()
	other.UseNumber()
	for {
		x, problem := one.Token()
		y, err := other.Token()
		switch {
		case errors.Is(problem, io.EOF) && errors.Is(err, io.EOF):
			return true
		case problem != nil || err != nil || x != y:
			return false
		}
	}
}
