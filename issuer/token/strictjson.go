package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep objects and arrays of a token may nest: claims are
// shallow, and recursion on what a stranger sent needs an end.
const maxDepth = 16

// decodeObject reads one JSON object as RFC 8259 section 4 recommends and
// encoding/json does not: member names are compared case-sensitively and each
// stands once, at every depth, and all is UTF-8, also what is escaped: half a surrogate
// pair is no character (section 8.2). Two parsers that take different ones of two "aud"
// members are how a token means one thing here and another behind us.
//
// Errors quote nothing of the text, which must not reach a log. The text must not be
// changed as long as the object is in use.
func decodeObject(data []byte) (object, error) {
	reader := readers.Get().(*objectReader)
	defer readers.Put(reader)
	defer reader.read(nil) // lets go of the text
	reader.read(data)
	if reader.decoder.PeekKind() != '{' {
		return nil, errNoObject
	}
	read, err := reader.object()
	if err != nil {
		return nil, err
	}
	if _, err := reader.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("data after the JSON object")
	}
	return read, nil
}

var errNoObject = errors.New("not a JSON object with each member once")

// An object begins with room for as many members as its text may have, which are
// seldom shorter, but for no more than an access token of ours has.
const (
	shortMember  = 24
	usualMembers = 12
)

// objectReader reads the values of one text after the other. What it needs for
// that it keeps from one to the next.
type objectReader struct {
	data    []byte
	text    bytes.Buffer // the same
	decoder jsontext.Decoder
}

var readers = sync.Pool{New: func() any { return new(objectReader) }}

func (r *objectReader) read(data []byte) {
	r.data, r.text = data, *bytes.NewBuffer(data)
	r.decoder.Reset(&r.text)
}

// object reads a whole one, of which the braces are still there.
func (r *objectReader) object() (object, error) {
	if _, err := r.decoder.ReadToken(); err != nil {
		return nil, errNoObject
	}
	read := make(object, 0, min(len(r.data)/shortMember+1, usualMembers))
	for r.decoder.PeekKind() != '}' {
		name, err := r.name()
		if err != nil {
			return nil, err
		}
		one, err := r.member(name)
		if err != nil {
			return nil, err
		}
		read = append(read, one)
	}
	return read, r.end()
}

// member reads what follows a name. What has no parts is only looked at.
func (r *objectReader) member(name string) (one member, err error) {
	from := r.decoder.InputOffset()
	one.name = name
	switch r.decoder.PeekKind() {
	case '{', '[':
		one.value, err = r.value()
	default:
		if r.decoder.SkipValue() != nil {
			err = errNoObject
		}
	}
	one.raw = bytes.TrimLeft(r.data[from:r.decoder.InputOffset()], ": \t\r\n")
	return one, err
}

// value reads what comes next: objects as maps, numbers as json.Number, and all
// else as encoding/json does.
func (r *objectReader) value() (any, error) {
	next, err := r.decoder.ReadToken()
	if err != nil {
		return nil, errNoObject
	}
	if r.decoder.StackDepth() > maxDepth {
		return nil, errors.New("nested too deep")
	}
	switch next.Kind() {
	case '{':
		return r.members()
	case '[':
		return r.elements()
	case '"':
		return next.String(), nil
	case '0':
		return json.Number(next.String()), nil
	case 't', 'f':
		return next.Bool(), nil
	default: // null
		return nil, nil
	}
}

// members reads an object after its brace.
func (r *objectReader) members() (any, error) {
	object := make(map[string]any)
	for r.decoder.PeekKind() != '}' {
		name, err := r.name()
		if err != nil {
			return nil, err
		}
		if object[name], err = r.value(); err != nil {
			return nil, err
		}
	}
	return object, r.end()
}

// elements reads an array after its bracket.
func (r *objectReader) elements() (any, error) {
	array := []any{}
	for r.decoder.PeekKind() != ']' {
		element, err := r.value()
		if err != nil {
			return nil, err
		}
		array = append(array, element)
	}
	return array, r.end()
}

// end reads the bracket that is there, unless the text ends before it.
func (r *objectReader) end() error {
	if _, err := r.decoder.ReadToken(); err != nil {
		return errNoObject
	}
	return nil
}

// name reads the name of a member. Nearly all tokens have the same ones: those are
// not made anew.
func (r *objectReader) name() (string, error) {
	quoted, err := r.decoder.ReadValue()
	if err != nil {
		return "", errNoObject
	}
	if name, usual := usualNames[string(quoted)]; usual {
		return name, nil
	}
	name, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return "", errNoObject
	}
	return string(name), nil
}

// usualNames are names by how they are written.
var usualNames = func() map[string]string {
	names := make(map[string]string)
	for _, name := range slices.Concat(written, []string{"alg", "typ", "kid", "jwk", "kty", "crv", "x", "y", "jkt", "x5t#S256", "htm", "htu", "ath", "nonce"}) {
		names[strconv.Quote(name)] = name
	}
	return names
}()
