package report

import (
	"strconv"
	"strings"
)

// The bounds of a template, whatever path it is made of.
const (
	maxSegments = 8   // what follows is {...}
	maxTemplate = 128 // octets; what follows is {...}
	maxLiteral  = 32  // octets of a segment, decoded; a longer one is {}
)

// Placeholders in a template.
const (
	anySegment = "{}"
	anyRest    = "{...}"
)

// Template is an escaped path ([net/url.URL.EscapedPath]) without what differs
// from request to request: segments that look like numbers, dates, UUIDs, hashes,
// random names or addresses are "{}", and what is too long ends in "{...}". It
// is printable ASCII of less than 150 octets, and the template of itself.
func Template(escaped string) string {
	return string(appendTemplate(nil, escaped))
}

func appendTemplate(to []byte, escaped string) []byte {
	begin, rest, more := len(to), escaped, true
	if strings.HasPrefix(rest, "/") {
		to, rest = append(to, '/'), rest[1:]
	}
	for count := 0; more; count++ {
		var segment string
		end := len(to)
		if segment, rest, more = strings.Cut(rest, "/"); count > 0 {
			to = append(to, '/')
		}
		if segment == anyRest && !more {
			return append(to, anyRest...)
		}
		if count < maxSegments {
			to = appendSegment(to, segment)
		}
		if count == maxSegments || len(to)-begin > maxTemplate {
			if to = to[:end]; count > 0 {
				to = append(to, '/')
			}
			return append(to, anyRest...)
		}
	}
	return to
}

// appendSegment adds a segment, spelled as in a rule's pattern, or "{}".
func appendSegment(to []byte, segment string) []byte {
	if segment == anySegment {
		return append(to, anySegment...)
	}
	begin := len(to)
	var seen shape
	for i := 0; i < len(segment); i++ {
		octet := segment[i]
		if decoded, ok := decode(segment[i:]); ok {
			octet, i = decoded, i+2
		}
		if seen.add(octet); seen.length > maxLiteral {
			break
		}
		if literal(octet) {
			to = append(to, octet)
		} else {
			to = appendEncoded(to, octet)
		}
	}
	if seen.varies() {
		return append(to[:begin], anySegment...)
	}
	return to
}

// decode reads the percent-encoding with which text begins.
func decode(text string) (octet byte, ok bool) {
	if len(text) < 3 || text[0] != '%' {
		return 0, false
	}
	value, err := strconv.ParseUint(text[1:3], 16, 8)
	return byte(value), err == nil
}

// literal tells whether an octet stands for itself in a pattern and in a
// Caddyfile.
func literal(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	return strings.IndexByte("-._~!$&'()+,=:@", c) >= 0
}

// shape is what is looked at to tell a name from a value.
type shape struct {
	length, digits, upper, lower int

	hex, marks int  // octets that are hexadecimal digits; that numbers and dates have between digits
	at         bool // an address of a person
}

func (s *shape) add(c byte) {
	s.length++
	if strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 {
		s.hex++
	}
	switch {
	case c >= '0' && c <= '9':
		s.digits++
	case c >= 'A' && c <= 'Z':
		s.upper++
	case c >= 'a' && c <= 'z':
		s.lower++
	case c == '@':
		s.at = true
	case strings.IndexByte("-+.,:_", c) >= 0:
		s.marks++
	}
}

// varies tells whether other requests will have another value here.
func (s *shape) varies() bool {
	switch {
	case s.length > maxLiteral, s.at, s.digits >= 4:
		return true
	case s.digits == 0:
		return false
	case s.digits+s.marks == s.length: // 7, 1.5, 3-4
		return true
	case s.length >= 8 && s.hex == s.length:
		return true
	}
	return s.length >= 10 && s.upper > 0 && s.lower > 0 // base62, base64
}
