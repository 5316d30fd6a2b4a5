package proof

import (
	"errors"
	"net/url"
	"strings"
)

// NormalURL returns the spelling of an http or https url in which two of them
// are compared: without query and fragment, the scheme and host in lower case,
// no default port, and escapes only where they are needed (RFC 9449 section
// 4.3, RFC 3986 sections 6.2.2.1, 6.2.2.2 and 6.2.3). Dot segments stay as they
// are: no url of ours has any. The error quotes nothing.
func NormalURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.Hostname() == "" || u.User != nil {
		return "", errors.New("expected an absolute url")
	}
	host := strings.ToLower(u.Host)
	switch u.Scheme { // lower case already
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	default:
		return "", errors.New("expected an http or https url")
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return u.Scheme + "://" + strings.TrimSuffix(host, ":") + normalEscapes(path), nil
}

// normalEscapes undoes escapes of unreserved characters, and spells the others
// in upper case. The path has valid escapes.
func normalEscapes(path string) string {
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	var out strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' || i+2 >= len(path) {
			out.WriteByte(path[i])
			continue
		}
		c := unhex(path[i+1])<<4 | unhex(path[i+2])
		if unreserved(c) {
			out.WriteByte(c)
		} else {
			out.WriteString(strings.ToUpper(path[i : i+3]))
		}
		i += 2
	}
	return out.String()
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

// unreserved is RFC 3986 section 2.3.
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}
