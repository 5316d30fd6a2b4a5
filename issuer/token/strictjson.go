package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays of a token may nest: claims are
// shallow, and recursion on what a stranger sent needs an end.
const maxDepth = 16

// decodeObject reads one JSON object as RFC 8259 section 4 recommends and
// encoding/json does not: member names are compared case-sensitively and each
// stands once, at every depth. Two parsers that take different ones of two
// "aud" members are how a token means one thing here and another behind us.
func decodeObject(data []byte) (map[string]any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	value, err := decodeValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("data after the JSON object")
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return object, nil
}

func decodeValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("nested too deep")
	}
	next, err := dec.Token()
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", errSyntax(err))
	}
	switch next {
	case json.Delim('{'):
		return decodeMembers(dec, depth)
	case json.Delim('['):
		return decodeElements(dec, depth)
	}
	return next, nil
}

func decodeMembers(dec *json.Decoder, depth int) (any, error) {
	object := make(map[string]any)
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("not JSON: %w", errSyntax(err))
		}
		name, ok := key.(string)
		if !ok {
			return nil, errors.New("not JSON: a member name must be a string")
		}
		if _, twice := object[name]; twice {
			return nil, errors.New("a member stands twice")
		}
		if object[name], err = decodeValue(dec, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token() // the closing brace
	return object, errSyntax(err)
}

func decodeElements(dec *json.Decoder, depth int) (any, error) {
	array := []any{}
	for dec.More() {
		value, err := decodeValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := dec.Token() // the closing bracket
	return array, errSyntax(err)
}

// errSyntax drops what encoding/json says of the text: it may quote from a
// token that must not reach a log.
func errSyntax(err error) error {
	if err == nil {
		return nil
	}
	return errors.New("syntax error")
}
