package caddymodule

import (
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// Tokens are taken out of a query, however they are spelt, and all else stays.
func TestTakeQueryTokens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		target, rest string
		tokens       []string
	}{
		{"/a", "/a", nil},
		{"/a?b=c", "/a?b=c", nil},
		{"/a?access_token=x.y.z", "/a", []string{"x.y.z"}},
		{"/a?b=1&access_token=x&c=%20+;d", "/a?b=1&c=%20+;d", []string{"x"}},
		{"/a?acce%73s_token=x%2By", "/a", []string{"x+y"}},
		{"/a?access_token=x&access_token=y", "/a", []string{"x", "y"}},
		{"/a?access_token", "/a", []string{""}},
		{"/a?access_token=%zz&b", "/a?b", []string{"%zz"}},
		{"/a?Access_Token=x&access_token_=y&%zz=1", "/a?Access_Token=x&access_token_=y&%zz=1", nil},
		{"/a?&&access_token=x&", "/a?&&", []string{"x"}},
	} {
		r := httptest.NewRequest("GET", "/a", nil)
		_, r.URL.RawQuery, _ = strings.Cut(c.target, "?")
		r.RequestURI = c.target
		tokens := takeQueryTokens(r)
		_, rest, _ := strings.Cut(c.rest, "?")
		if !slices.Equal(tokens, c.tokens) || r.RequestURI != c.rest || r.URL.RawQuery != rest {
			t.Errorf("%s: %q, %s, %s", c.target, tokens, r.RequestURI, r.URL.RawQuery)
		}
	}
}

// The same of a form; what is none is passed on byte for byte.
func TestTakeFormTokens(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	long := strings.Repeat("x", maxTokenForm)
	for name, c := range map[string]struct {
		method, media, body, rest string
		tokens                    []string
	}{
		"alone":               {"POST", form, "access_token=x.y.z", "", []string{"x.y.z"}},
		"with others":         {"PUT", form + "; charset=utf-8", "a=1&access_token=x&b=%C3%A4+", "a=1&b=%C3%A4+", []string{"x"}},
		"none":                {"POST", form, "a=1&b=\x00\xff", "a=1&b=\x00\xff", nil},
		"JSON":                {"POST", "application/json", `{"access_token":"x"}`, `{"access_token":"x"}`, nil},
		"multipart":           {"POST", "multipart/form-data; boundary=x", "access_token=x", "access_token=x", nil},
		"no type":             {"POST", "", "access_token=x", "access_token=x", nil},
		"GET":                 {"GET", form, "access_token=x", "access_token=x", nil},
		"too large to look":   {"POST", form, "a=" + long + "&access_token=x", "a=" + long + "&access_token=x", nil},
		"as large as may be":  {"POST", form, "access_token=x&" + long[:maxTokenForm-15], long[:maxTokenForm-15], []string{"x"}},
		"twice, and the rest": {"POST", form, "access_token=x&a=b&access_token=y", "a=b", []string{"x", "y"}},
	} {
		r := httptest.NewRequest(c.method, "/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.media)
		tokens, err := takeFormTokens(r)
		rest, readErr := io.ReadAll(r.Body)
		if err != nil || readErr != nil || !slices.Equal(tokens, c.tokens) || string(rest) != c.rest {
			t.Errorf("%s: %q, %.100q, %v %v", name, tokens, rest, err, readErr)
		}
		if len(tokens) > 0 && (r.ContentLength != int64(len(c.rest)) || r.TransferEncoding != nil) {
			t.Errorf("%s: Content-Length %d", name, r.ContentLength)
		}
	}
}

// A form that cannot be read is an error.
func TestTakeFormTokensFails(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("access_token=x"), failingReader{}))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if tokens, err := takeFormTokens(r); err == nil || tokens != nil {
		t.Errorf("%q, %v", tokens, err)
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// FuzzWithoutTokens: what is left holds no token, and nothing else is lost.
func FuzzWithoutTokens(f *testing.F) {
	f.Add("a=1&access_token=x&b")
	f.Add("acce%73s_token=%zz&&")
	f.Fuzz(func(t *testing.T, text string) {
		rest, tokens := withoutTokens(text)
		if again, more := withoutTokens(rest); len(more) > 0 || again != rest {
			t.Fatalf("%q left %q", text, rest)
		}
		if len(tokens) == 0 && rest != text {
			t.Fatalf("%q became %q", text, rest)
		}
	})
}
