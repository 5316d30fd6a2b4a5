package token

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// object is a JSON object of a token: its members in their order. What is read of it
// is made when it is asked for, since of most tokens the same few members are.
type object []member

// member stands in the object as it was written.
type member struct {
	name  string
	raw   []byte // a part of the text that was read
	value any    // of an object or an array, which were read already
	taken bool   // into a field
}

// find returns the member with the name; nil where there is none.
func (o object) find(name string) *member {
	for i := range o {
		if o[i].name == name {
			return &o[i]
		}
	}
	return nil
}

// has tells whether there is a member with the name, whatever it is.
func (o object) has(name string) bool { return o.find(name) != nil }

// text is the member with the name; empty where it is missing or no string.
func (o object) text(name string) string {
	text, _ := o.find(name).text()
	return text
}

// rest are the members that were not taken; nil where all were.
func (o object) rest() map[string]any {
	var rest map[string]any
	for i := range o {
		if o[i].taken {
			continue
		}
		if rest == nil {
			rest = make(map[string]any)
		}
		rest[o[i].name] = o[i].any()
	}
	return rest
}

// kind is that of the value: `0` for a number.
func (m *member) kind() jsontext.Kind { return jsontext.Value(m.raw).Kind() }

// text returns a string; ok is false for all else, and where there is no member.
func (m *member) text() (text string, ok bool) {
	if m == nil || m.kind() != '"' {
		return "", false
	}
	return unquoted(m.raw)
}

// texts returns an array of strings; ok is false for all else, and where there is no member.
func (m *member) texts() (texts []string, ok bool) {
	if m == nil || m.kind() != '[' {
		return nil, false
	}
	elements := m.value.([]any)
	texts = make([]string, len(elements))
	for i, element := range elements {
		if texts[i], ok = element.(string); !ok {
			return nil, false
		}
	}
	return texts, true
}

// date returns a NumericDate (RFC 7519 section 2), which may have a fraction, in whole
// seconds; ok is false for all else, and where there is no member.
func (m *member) date() (seconds int64, ok bool) {
	if m == nil || m.kind() != '0' {
		return 0, false
	}
	number, err := strconv.ParseFloat(string(m.raw), 64)
	if err != nil || number < 0 || number > 1<<53 {
		return 0, false
	}
	return int64(math.Floor(number)), true
}

// any returns objects as maps, numbers as json.Number, and all else as encoding/json does.
func (m *member) any() any {
	switch m.kind() {
	case '"':
		text, _ := m.text()
		return text
	case '0':
		return json.Number(m.raw)
	case 't', 'f':
		return m.raw[0] == 't'
	default: // null has no value
		return m.value
	}
}

// unquoted reads a string that the decoder has found to be one.
func unquoted(raw []byte) (text string, ok bool) {
	for _, letter := range raw {
		if letter == '\\' {
			escaped, err := jsontext.AppendUnquote(nil, raw)
			return string(escaped), err == nil
		}
	}
	return string(raw[1 : len(raw)-1]), true
}
