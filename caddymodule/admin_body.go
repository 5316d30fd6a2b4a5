package caddymodule

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
)

// maxAdminBody is the longest document that the admin endpoint takes, in bytes.
const maxAdminBody = 64 << 10

// readAdminBody reads a JSON object strictly. No error quotes what was sent: it may
// be a token.
func readAdminBody(w http.ResponseWriter, r *http.Request, into any) error {
	// A page of another site can have a browser send anything but this type.
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method == http.MethodPatch && kind == "application/merge-patch+json" { // RFC 7396 section 4
		kind = "application/json"
	}
	if err != nil || kind != "application/json" {
		return adminError(http.StatusUnsupportedMediaType, "Content-Type: expected application/json")
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAdminBody))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(into)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("something follows it")
	}
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		return adminError(http.StatusRequestEntityTooLarge, "body: expected at most %d bytes", tooLong.Limit)
	}
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) && wrongType.Field != "" {
		return adminError(http.StatusBadRequest, "body: %s: expected %s", wrongType.Field, wrongType.Type)
	}
	return adminError(http.StatusBadRequest, "body: expected one JSON object with known members")
}
