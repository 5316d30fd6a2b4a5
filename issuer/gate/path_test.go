package gate

import (
	"errors"
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// A path that means two things to two servers is how a request slips past a
// rule: every known spelling of "/admin" or of "one level up" is here.
func TestCheckPathRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		escaped string
		want    PathError
	}{
		{"", PathNotAbsolute},
		{"*", PathNotAbsolute}, // OPTIONS *
		{"admin", PathNotAbsolute},
		{"%2Fadmin", PathNotAbsolute},
		{"//", PathRepeatedSlashes},
		{"//admin", PathRepeatedSlashes},
		{"/a//b", PathRepeatedSlashes},
		{"/a//", PathRepeatedSlashes},
		{"/.", PathDotSegment},
		{"/..", PathDotSegment},
		{"/./admin", PathDotSegment},
		{"/public/../admin", PathDotSegment},
		{"/public/%2e%2e/admin", PathDotSegment},
		{"/public/.%2E/admin", PathDotSegment},
		{"/public/%2E./", PathDotSegment},
		{"/a/..", PathDotSegment},
		{"/admin.", PathTrailingDot},
		{"/admin./x", PathTrailingDot},
		{"/admin%2e", PathTrailingDot},
		{"/...", PathTrailingDot},
		{"/admin%20", PathTrailingSpace},
		{"/admin%20/x", PathTrailingSpace},
		{"/%20", PathTrailingSpace},
		{"/admin%2Fx", PathEncodedSlash},
		{"/admin%2fx", PathEncodedSlash},
		{"/public/%2e%2e%2fadmin", PathEncodedSlash},
		{`/admin\x`, PathBackslash},
		{"/admin%5Cx", PathBackslash},
		{"/admin%5cx", PathBackslash},
		{"/..%5cadmin", PathBackslash},
		{"/public;/admin", PathSemicolon},
		{"/admin;v=1", PathSemicolon},
		{"/;", PathSemicolon},
		{"/admin%3Bx", PathSemicolon},
		{"/admin%3b", PathSemicolon},
		{"/admin%00", PathControl},
		{"/admin%00.png", PathControl},
		{"/a%0d%0aX-Client-Id:x", PathControl},
		{"/a%09", PathControl},
		{"/a%1F", PathControl},
		{"/a%7F", PathControl},
		{"/a\x00b", PathControl},
		{"/a\x7f", PathControl},
		{"/a%C2%80", PathControl},
		{"/a%C2%85b", PathControl}, // NEL
		{"/a%c2%9f", PathControl},
		{"/a%", PathEncoding},
		{"/a%4", PathEncoding},
		{"/a%zz", PathEncoding},
		{"/a%4g", PathEncoding},
		{"/a%+1", PathEncoding},
		{"/a%_1", PathEncoding},
		{"/a%-1", PathEncoding},
		{"/a% 1", PathEncoding},
		{"/a%u002e", PathEncoding},
		{"/a b", PathEncoding},
		{"/a?b", PathEncoding},
		{"/a#b", PathEncoding},
		{"/straße", PathEncoding}, // raw octets outside ASCII never come from EscapedPath
		{"/%C0%AE%C0%AE/admin", PathUTF8},
		{"/%C0%AFadmin", PathUTF8},
		{"/a%FF", PathUTF8},
		{"/a%E2%82", PathUTF8},
		{"/%ED%A0%80", PathUTF8}, // a surrogate
		{"/%85", PathUTF8},
	}
	for _, test := range tests {
		decoded, err := url.PathUnescape(test.escaped)
		if err != nil {
			decoded = test.escaped
		}
		err = CheckPath(test.escaped, decoded)
		if got, ok := errors.AsType[PathError](err); !ok || got != test.want {
			t.Errorf("CheckPath(%q) = %v, want %v", test.escaped, err, test.want)
		}
	}
}

func TestCheckPathAccepts(t *testing.T) {
	t.Parallel()
	for _, escaped := range []string{
		"/", "/a", "/a/", "/a/b/c", "/orders/42", "/.well-known/x", "/..a", "/a.b", "/a..b/c", "/%2ea",
		"/%61dmin", "/a%20b", "/%20a", "/caf%C3%A9", "/%E2%82%AC", "/%F0%9F%8D%B0/", "/a%25", "/a%252e", "/a%252Fb",
		"/a:b@c", "/a!$&'()*+,=~[]", "/%7Bid%7D", "/%3F%23", "/a%C2%A0", "/%EF%BF%BD",
	} {
		decoded, err := url.PathUnescape(escaped)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckPath(escaped, decoded); err != nil {
			t.Errorf("CheckPath(%q) = %v, want nil", escaped, err)
		}
	}
}

// Rules must look at what the upstream gets: a rewrite that changed one of the
// two paths alone, or decoded twice, would let them drift apart.
func TestCheckPathRefusesMismatch(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ escaped, decoded string }{
		{"/public", "/admin"},
		{"/public", "/publi"},
		{"/publi", "/public"},
		{"/", "/a"},
		{"/a", "/"},
		{"/a/", "/a"},
		{"/%2561", "/a"},
		{"/%61", "/%61"},
		{"/a%25", "/a%25"},
		{"/A", "/a"},
		{"/caf%C3%A9", "/cafe"},
	} {
		if err := CheckPath(test.escaped, test.decoded); !errors.Is(err, PathMismatch) {
			t.Errorf("CheckPath(%q, %q) = %v, want %v", test.escaped, test.decoded, err, PathMismatch)
		}
	}
	if err := CheckPath("/a", ""); !errors.Is(err, PathNotAbsolute) {
		t.Errorf("an empty decoded path: %v", err)
	}
}

// The text reaches clients and logs: no path in it, nothing to escape
// (RFC 6750 section 3).
func TestPathErrorText(t *testing.T) {
	t.Parallel()
	err := CheckPath("/s3cr3t%2Fx", "/s3cr3t/x")
	if text := err.Error(); strings.Contains(text, "s3cr3t") || strings.ContainsAny(text, "\"\\\r\n") {
		t.Errorf("error text %q", text)
	}
}

func TestCheckPathAllocatesNothing(t *testing.T) {
	escaped, decoded := "/orders/caf%C3%A9/items/42", "/orders/café/items/42"
	if n := testing.AllocsPerRun(100, func() { _ = CheckPath(escaped, decoded) }); n != 0 {
		t.Errorf("%v allocations for a good path", n)
	}
}

// What is accepted has one reading: cleaning changes nothing, and whether one
// splits first or decodes first, the segments are the same.
func FuzzCheckPath(f *testing.F) {
	for _, seed := range []string{
		"/", "/a/b/", "/%61", "/a%2Fb", "/a/../b", "//", "/a;b", "/caf%C3%A9", "/%C0%AE", "/a%", "/a.", "*", "/%252e",
	} {
		decoded, err := url.PathUnescape(seed)
		if err != nil {
			decoded = seed
		}
		f.Add(seed, decoded)
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, escaped, decoded string) {
		// Most pairs do not belong together: judge each text as a request's
		// target as well.
		if u, err := url.ParseRequestURI(escaped); err == nil {
			checkAccepted(t, u.EscapedPath(), u.Path)
		}
		if once, err := url.PathUnescape(escaped); err == nil {
			checkAccepted(t, escaped, once)
		}
		checkAccepted(t, escaped, decoded)
	})
}

func checkAccepted(t *testing.T, escaped, decoded string) {
	t.Helper()
	if err := CheckPath(escaped, decoded); err != nil {
		if _, ok := errors.AsType[PathError](err); !ok {
			t.Fatalf("CheckPath(%q, %q): %T is not a PathError", escaped, decoded, err)
		}
		return
	}
	if once, err := url.PathUnescape(escaped); err != nil || once != decoded {
		t.Fatalf("%q accepted for %q, decoded once it is %q (%v)", decoded, escaped, once, err)
	}
	if clean := path.Clean(decoded); clean != decoded && clean+"/" != decoded {
		t.Fatalf("%q accepted, cleaned it is %q", decoded, clean)
	}
	if !utf8.ValidString(decoded) || strings.ContainsFunc(decoded, unicode.IsControl) || strings.ContainsAny(decoded, `\;`) {
		t.Fatalf("%q accepted", decoded)
	}
	before, after := strings.Split(escaped, "/"), strings.Split(decoded, "/")
	if len(before) != len(after) {
		t.Fatalf("%q has %d segments, decoded %d", escaped, len(before), len(after))
	}
	for i, segment := range before {
		if once, err := url.PathUnescape(segment); err != nil || once != after[i] {
			t.Fatalf("segment %d of %q is %q, of %q %q", i, escaped, once, decoded, after[i])
		}
		if strings.HasSuffix(after[i], ".") || strings.HasSuffix(after[i], " ") {
			t.Fatalf("segment %q accepted", after[i])
		}
	}
}

func BenchmarkCheckPath(b *testing.B) {
	for _, bench := range []struct{ name, escaped, decoded string }{
		{"short", "/orders/42", "/orders/42"},
		{"plain", "/api/v1/customers/4711/orders/42/items", "/api/v1/customers/4711/orders/42/items"},
		{"encoded", "/api/v1/caf%C3%A9/orders%20open/42/items", "/api/v1/café/orders open/42/items"},
		{"refused", "/api/v1/customers/../admin", "/api/v1/customers/../admin"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = CheckPath(bench.escaped, bench.decoded)
			}
		})
	}
}
