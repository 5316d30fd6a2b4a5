package token

import (
	"encoding/json"
	"fmt"
	"math"
)

// memberReader takes typed members out of a claim set and keeps the first error.
type memberReader struct {
	members map[string]any
	err     error
}

func (r *memberReader) take(name string) (any, bool) {
	value, ok := r.members[name]
	delete(r.members, name)
	return value, ok
}

func (r *memberReader) fail(name, expected string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s is not %s", name, expected)
	}
}

func (r *memberReader) text(name string) string {
	value, ok := r.take(name)
	text, isText := value.(string)
	if ok && !isText {
		r.fail(name, "a string")
	}
	return text
}

func (r *memberReader) texts(name string, single bool) []string {
	value, ok := r.take(name)
	if !ok {
		return nil
	}
	if text, isText := value.(string); isText && single {
		return []string{text}
	}
	array, isArray := value.([]any)
	if !isArray {
		r.fail(name, "an array of strings")
		return nil
	}
	if len(array) == 0 {
		return nil
	}
	list := make([]string, 0, len(array))
	for _, element := range array {
		text, isText := element.(string)
		if !isText {
			r.fail(name, "an array of strings")
		}
		list = append(list, text)
	}
	return list
}

// date reads a NumericDate (RFC 7519 section 2), which may have a fraction.
func (r *memberReader) date(name string) int64 {
	value, ok := r.take(name)
	if !ok {
		return 0
	}
	number, _ := value.(json.Number)
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > 1<<53 {
		r.fail(name, "a date")
		return 0
	}
	return int64(math.Floor(seconds))
}

func (r *memberReader) scope(name string) Scopes {
	value, ok := r.take(name)
	if !ok {
		return nil
	}
	text, isText := value.(string)
	if !isText {
		r.fail(name, "a string")
		return nil
	}
	scopes, err := ParseScope(text)
	if err != nil || text == "" {
		r.fail(name, "a list of scope values")
	}
	return scopes
}

func (r *memberReader) confirmation(name string) *Confirmation {
	value, ok := r.take(name)
	if !ok {
		return nil
	}
	object, isObject := value.(map[string]any)
	if !isObject {
		r.fail(name, "an object")
		return nil
	}
	inner := memberReader{members: object}
	confirmation := &Confirmation{CertificateThumbprint: inner.text("x5t#S256"), KeyThumbprint: inner.text("jkt")}
	// A confirmation method that is not understood must not be dropped: the
	// token would pass as one that nobody has to prove (RFC 7800 section 3.1).
	if inner.err != nil || len(object) > 0 || *confirmation == (Confirmation{}) {
		r.fail(name, "a known confirmation method")
	}
	return confirmation
}
