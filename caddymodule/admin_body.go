package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxAdminBody is the longest document that the admin endpoint takes, in bytes.
const maxAdminBody = 64 << 10

// members are the members of an object as they were sent.
type members map[string]json.RawMessage

// readAdminBody reads a JSON object with members of these names strictly. No error
// quotes what was sent, but for a name: it may be a token.
func readAdminBody(w http.ResponseWriter, r *http.Request, known ...string) (members, error) {
	// A page of another site can have a browser send anything but this type.
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method == http.MethodPatch && kind == "application/merge-patch+json" { // RFC 7396 section 4
		kind = "application/json"
	}
	if err != nil || kind != "application/json" {
		return nil, adminError(http.StatusUnsupportedMediaType, "Content-Type: expected application/json")
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAdminBody))
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		return nil, adminError(http.StatusRequestEntityTooLarge, "body: expected at most %d bytes", tooLong.Limit)
	}
	var sent members
	if err != nil || !utf8.Valid(data) || json.Unmarshal(data, &sent) != nil || sent == nil {
		return nil, adminError(http.StatusBadRequest, "body: expected one JSON object")
	}
	if !eachOnce(json.NewDecoder(bytes.NewReader(data))) {
		return nil, adminError(http.StatusBadRequest, "body: a member stands twice: expected each once")
	}
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		if !slices.Contains(known, name) {
			return nil, adminError(http.StatusBadRequest, "body: unknown member %q: expected one of %s", cut(name, maxShownName), strings.Join(known, ", "))
		}
	}
	return sent, nil
}

// maxShownName bounds what an error quotes of a name that nobody knows, in bytes.
const maxShownName = 64

// eachOnce reads a value of what is valid JSON, and tells whether each member of an
// object in it stands once. Of two, encoding/json takes the last without a word: an
// operator who sends "disabled" twice must hear that.
func eachOnce(decoder *json.Decoder) bool {
	first, err := decoder.Token()
	object, array := first == json.Delim('{'), first == json.Delim('[')
	if err != nil || !object && !array {
		return err == nil
	}
	names := make(map[json.Token]bool)
	for decoder.More() {
		if object {
			name, err := decoder.Token()
			if err != nil || names[name] {
				return false
			}
			names[name] = true
		}
		if !eachOnce(decoder) {
			return false
		}
	}
	_, err = decoder.Token() // the end
	return err == nil
}

// take removes a member and reads it, which must be what expected says; what is not
// there leaves into as it is.
func (m members) take(name, expected string, into any) error {
	data, sent := m[name]
	if !sent {
		return nil
	}
	delete(m, name)
	if err := json.Unmarshal(data, into); err != nil {
		return adminError(http.StatusBadRequest, "%s: expected %s", name, expected)
	}
	return nil
}
