package issuer

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"unicode/utf8"
)

// maxForm is the largest request body that is read, in bytes.
const maxForm = 64 << 10

// form holds the parameters of a token request, each once but for `resource`.
type form map[string][]string

// get returns the parameter's value; the empty string is a parameter that was
// left out (RFC 6749 section 3.2).
func (f form) get(name string) string {
	if values := f[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// all returns the values of a parameter that may be repeated, without empty ones.
func (f form) all(name string) []string {
	var values []string
	for _, value := range f[name] {
		if value != "" {
			values = append(values, value)
		}
	}
	return values
}

// readForm reads the parameters of a POST from its body, and from nowhere
// else: what stands in a url ends up in logs and histories (RFC 6749 section
// 2.3.1). It does not use http.Request.ParseForm, which mixes both.
func readForm(r *http.Request) (form, *Error) {
	if err := checkQuery(r.URL.RawQuery); err != nil {
		return nil, err
	}
	if err := checkMediaType(r.Header["Content-Type"]); err != nil {
		return nil, err
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	return parseForm(body)
}

// parseForm reads application/x-www-form-urlencoded text (RFC 6749 appendix B).
func parseForm(body string) (form, *Error) {
	values, err := url.ParseQuery(body)
	if err != nil {
		return nil, invalidRequest("form", "the request body is not a valid form")
	}
	for name, list := range values {
		// RFC 6749 section 3.2: each parameter once. RFC 8707 section 2 lets
		// `resource` be repeated.
		if len(list) > 1 && name != "resource" {
			return nil, invalidRequest("duplicate_parameter", "a parameter is given more than once")
		}
		for _, value := range list {
			if !utf8.ValidString(value) {
				return nil, invalidRequest("form", "the request body is not UTF-8")
			}
		}
	}
	return form(values), nil
}

func checkMediaType(fields []string) *Error {
	if len(fields) == 1 {
		// ErrInvalidMediaParameter still comes with the type, and the type is
		// all that counts.
		media, _, err := mime.ParseMediaType(fields[0])
		if (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter)) && media == "application/x-www-form-urlencoded" {
			return nil
		}
	}
	return invalidRequest("media_type", "the request body must be application/x-www-form-urlencoded")
}

func readBody(r *http.Request) (string, *Error) {
	tooLarge := &Error{
		Code: InvalidRequest, Status: http.StatusRequestEntityTooLarge,
		Reason: "too_large", Description: "the request body is larger than 64 KiB",
	}
	if r.ContentLength > maxForm {
		return "", tooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	var limit *http.MaxBytesError // a smaller limit of the site's own `request_body`
	switch {
	case len(body) > maxForm || errors.As(err, &limit):
		return "", tooLarge
	case err != nil:
		return "", invalidRequest("body", "the request body could not be read")
	}
	return string(body), nil
}
