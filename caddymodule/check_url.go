package caddymodule

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
)

// judgeIssuerURL accepts an issuer identifier: an https url without query and
// fragment (RFC 8414 section 2), or an http one whose host never leaves the
// machine.
func judgeIssuerURL(value string) error {
	u, err := parseURI(value)
	switch {
	case err != nil:
		return fmt.Errorf("issuer url %q: %w", value, err)
	case u.User != nil:
		return fmt.Errorf("issuer url of %s: expected no user info", u.Host)
	// The marks alone count too: `https://h?` and `https://h` would be two
	// issuers of which only one has a query in Go's eyes.
	case strings.ContainsAny(value, "?#"):
		return fmt.Errorf("issuer url %q: expected no query and no fragment", value)
	case !strings.HasPrefix(value, "https://") && !strings.HasPrefix(value, "http://"):
		return fmt.Errorf("issuer url %q: expected https://", value)
	case u.Scheme == "http" && !keys.Loopback(u.Hostname()):
		return fmt.Errorf("issuer url %q: expected https, or http on localhost, *.localhost, 127.0.0.0/8 or [::1]", value)
	}
	if err := judgeAuthority(u); err != nil {
		return fmt.Errorf("issuer url %q: %w", value, err)
	}
	return judgeIssuerPath(u.Path)
}

// judgeOrigin accepts the scheme and authority of a url, and nothing behind.
func judgeOrigin(value string) error {
	u, err := parseURI(value)
	switch {
	case err != nil:
		return fmt.Errorf("url %q: %w", value, err)
	case u.User != nil:
		return fmt.Errorf("url of %s: expected no user info", u.Host)
	case !strings.HasPrefix(value, "https://") && !strings.HasPrefix(value, "http://"):
		return fmt.Errorf("url %q: expected https:// or http:// and a host", value)
	case u.Path != "" && u.Path != "/" || strings.ContainsAny(value, "?#"):
		return fmt.Errorf("url %q: expected scheme and authority alone, such as https://api.example.com", value)
	}
	if err := judgeAuthority(u); err != nil {
		return fmt.Errorf("url %q: %w", value, err)
	}
	return nil
}

func judgeAuthority(u *url.URL) error {
	if u.Hostname() == "" {
		return errors.New("expected a host")
	}
	if u.Port() == "" && !strings.HasSuffix(u.Host, ":") {
		return nil
	}
	if n, err := strconv.Atoi(u.Port()); err != nil || n < 1 || n > 65535 {
		return errors.New("expected a port from 1 to 65535")
	}
	return nil
}

// judgeIssuerPath refuses paths that a server or a client would clean before
// comparing them.
func judgeIssuerPath(path string) error {
	inner := strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" || path == "/" {
		return nil
	}
	for segment := range strings.SplitSeq(inner, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return fmt.Errorf("issuer url path %q: expected no empty and no dot segments", path)
		}
	}
	return nil
}

// judgeIdentifier accepts a resource identifier: an absolute URI without
// fragment (RFC 8707 section 2).
func judgeIdentifier(value string) error {
	u, err := parseURI(value)
	switch {
	case err != nil:
		return fmt.Errorf("resource identifier %q: %w", value, err)
	case strings.Contains(value, "#"):
		return fmt.Errorf("resource identifier %q: expected no fragment", value)
	case !u.IsAbs() || u.Opaque == "" && u.Host == "" && u.Path == "":
		return fmt.Errorf("resource identifier %q: expected an absolute URI, such as https://api.example.com", value)
	case (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() == "":
		return fmt.Errorf("resource identifier %q: expected a host", value)
	}
	return nil
}

// judgeAudience accepts what a token of another server may have as `aud`: also a
// plain word (RFC 7519 section 2), as a server writes that puts the client id of
// the API there.
func judgeAudience(value string) error {
	if strings.ContainsAny(value, ":#") {
		return judgeIdentifier(value)
	}
	if _, err := parseURI(value); err != nil {
		return fmt.Errorf("resource identifier %q: expected an absolute URI or a word of characters that RFC 3986 allows", value)
	}
	return nil
}

// parseURI parses what RFC 3986 calls a URI: Go's parser accepts more.
func parseURI(value string) (*url.URL, error) {
	outside := func(r rune) bool { return r <= 0x20 || r > 0x7E || strings.ContainsRune("\"<>\\^`{|}", r) }
	if value == "" || strings.ContainsFunc(value, outside) {
		return nil, errors.New("expected an absolute url of characters that RFC 3986 allows")
	}
	u, err := url.Parse(value)
	if err != nil {
		return nil, errors.New("expected an absolute url")
	}
	return u, nil
}
