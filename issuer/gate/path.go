package gate

import (
	"strconv"
	"unicode/utf8"
)

// PathError says why a request's path is ambiguous: servers and libraries read
// such paths differently, so a rule could be asked about one resource while
// the upstream serves another. It is one of the constants below, fit for a
// metrics label, and never holds a part of the path.
type PathError string

// The reasons why [CheckPath] refuses a path.
const (
	PathNotAbsolute     PathError = "not_absolute"     // "", "*", "orders": nothing that a rule could be for
	PathEncoding        PathError = "encoding"         // a bad percent-encoding, or a character that must be encoded (RFC 3986 section 3.3)
	PathMismatch        PathError = "mismatch"         // the decoded path is not what the escaped one says
	PathUTF8            PathError = "utf8"             // not UTF-8, overlong forms included (RFC 3629 section 10)
	PathControl         PathError = "control"          // C0, DEL or C1, encoded or not
	PathEncodedSlash    PathError = "encoded_slash"    // %2F: a separator for some, data for others
	PathBackslash       PathError = "backslash"        // a separator on Windows and for WHATWG URL parsers
	PathSemicolon       PathError = "semicolon"        // servlet containers cut "/public;/../admin" there
	PathDotSegment      PathError = "dot_segment"      // "." and "..", %2E included (RFC 3986 section 5.2.4)
	PathTrailingDot     PathError = "trailing_dot"     // Windows opens "admin." as "admin"
	PathTrailingSpace   PathError = "trailing_space"   // and "admin " too
	PathRepeatedSlashes PathError = "repeated_slashes" // "//admin" is "/admin" for those who merge slashes
)

// Error is a fixed text, fit for a client and a log.
func (e PathError) Error() string { return "ambiguous path: " + string(e) }

// CheckPath refuses a path that an upstream may read differently than a rule
// does. Escaped is what goes on to the upstream ([url.URL.EscapedPath]),
// decoded what rules look at ([url.URL.Path]): exactly the former, decoded
// once. A path that passes has one reading; a single slash at its end is part
// of it. The error is a [PathError].
func CheckPath(escaped, decoded string) error {
	if escaped == "" || escaped[0] != '/' || decoded == "" || decoded[0] != '/' {
		return PathNotAbsolute
	}
	segment, at, ascii := 1, 1, true // where the segment begins and how far we are, in decoded
	for i := 1; i < len(escaped); i++ {
		octet := escaped[i]
		if !unescaped[octet] {
			switch octet {
			case '/':
				if err := checkSegment(decoded[segment:at]); err != "" {
					return err
				}
				segment = at + 1
			case '%':
				var err PathError
				if octet, err = decodeOctet(escaped[i:]); err != "" {
					return err
				}
				ascii = ascii && octet < utf8.RuneSelf
				i += 2
			default:
				return refuseOctet(octet)
			}
		}
		if at >= len(decoded) || decoded[at] != octet {
			return PathMismatch
		}
		at++
	}
	if at != len(decoded) {
		return PathMismatch
	}
	return checkEnd(decoded, segment, ascii)
}

// checkEnd judges what can only be judged of the whole path: its last segment
// and, where there are any, the characters outside ASCII.
func checkEnd(decoded string, segment int, ascii bool) error {
	if segment < len(decoded) {
		if err := checkSegment(decoded[segment:]); err != "" {
			return err
		}
	}
	if ascii {
		return nil
	}
	if !utf8.ValidString(decoded) {
		return PathUTF8
	}
	for _, char := range decoded {
		if char >= 0x80 && char <= 0x9F {
			return PathControl
		}
	}
	return nil
}

// checkSegment judges a segment by its end, after decoding: "%2e%2E" is "..".
func checkSegment(segment string) PathError {
	if segment == "" {
		return PathRepeatedSlashes
	}
	switch segment[len(segment)-1] {
	case '.':
		if segment == "." || segment == ".." {
			return PathDotSegment
		}
		return PathTrailingDot
	case ' ':
		return PathTrailingSpace
	}
	return ""
}

// decodeOctet reads the percent-encoding that text begins with and refuses
// characters that are dangerous in every spelling.
func decodeOctet(text string) (byte, PathError) {
	if len(text) < 3 {
		return 0, PathEncoding
	}
	value, err := strconv.ParseUint(text[1:3], 16, 8)
	if err != nil {
		return 0, PathEncoding
	}
	octet := byte(value)
	switch {
	case octet == '/':
		return 0, PathEncodedSlash
	case octet == '\\', octet == ';', octet < 0x20, octet == 0x7F:
		return 0, refuseOctet(octet)
	}
	return octet, ""
}

// refuseOctet names the reason for a character that may not stand in a path.
func refuseOctet(octet byte) PathError {
	switch {
	case octet == ';':
		return PathSemicolon
	case octet == '\\':
		return PathBackslash
	case octet < 0x20, octet == 0x7F:
		return PathControl
	}
	return PathEncoding
}

// unescaped are the characters that stand for themselves within a segment:
// pchar of RFC 3986 section 3.3 but for the semicolon, and the brackets, which
// [url.URL.EscapedPath] leaves as they are.
var unescaped = func() (set [256]bool) {
	const chars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@[]"
	for i := range len(chars) {
		set[chars[i]] = true
	}
	return set
}()
