package token

import (
	"bytes"
	"encoding/json"
	"errors"
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
//
// Errors quote nothing of the text, which must not reach a log.
func decodeObject(data []byte) (map[string]any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	written, err := countMembers(data)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	// Into a map, encoding/json would decode each member by reflection.
	var value any
	err = dec.Decode(&value)
	object, isObject := value.(map[string]any)
	if err != nil || !isObject {
		return nil, errors.New("not a JSON object")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("data after the JSON object")
	}
	// Members that stand twice are one in the map.
	if written != keptMembers(object) {
		return nil, errors.New("a member stands twice")
	}
	return object, nil
}

// countMembers counts the members of all objects in a JSON text: each has one
// colon outside of strings. Whether the text is JSON at all, others judge.
func countMembers(data []byte) (int, error) {
	members, depth, inString := 0, 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++ // whatever is escaped does not end the string
		case c == '"':
			inString = !inString
		case inString:
		case c == ':':
			members++
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return 0, errors.New("nested too deep")
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return members, nil
}

// keptMembers counts the members of all objects in a decoded value.
func keptMembers(value any) int {
	count := 0
	switch value := value.(type) {
	case map[string]any:
		count = len(value)
		for _, member := range value {
			count += keptMembers(member)
		}
	case []any:
		for _, element := range value {
			count += keptMembers(element)
		}
	}
	return count
}
