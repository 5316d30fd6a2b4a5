package keys

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// CheckURL judges a url that keys are fetched from: an absolute https url
// without user info and fragment. http is for hosts that never leave the machine
// alone (localhost, *.localhost, 127.0.0.0/8, [::1]): whoever can change the
// answer on its way can sign as the owner of the keys. The error names the url
// and what was expected; a url with user info is not quoted.
func CheckURL(raw string) error {
	u, err := parseURL(raw)
	if err != nil {
		return fmt.Errorf("key url: %w", err)
	}
	switch {
	case u.User != nil:
		return fmt.Errorf("key url of %s: expected no user info", u.Host)
	case strings.Contains(raw, "#"):
		return fmt.Errorf("key url %q: expected no fragment", raw)
	case u.Scheme != "https" && u.Scheme != "http" || u.Opaque != "":
		return fmt.Errorf("key url %q: expected https://", raw)
	case u.Hostname() == "":
		return fmt.Errorf("key url %q: expected a host", raw)
	case u.Scheme == "http" && !Loopback(u.Hostname()):
		return fmt.Errorf("key url %q: expected https, or http on localhost, *.localhost, 127.0.0.0/8 or [::1]", raw)
	}
	if err := checkPort(u); err != nil {
		return fmt.Errorf("key url %q: %w", raw, err)
	}
	return nil
}

// parseURL parses what RFC 3986 calls a URI: Go's parser accepts more. Its
// error quotes nothing, as there may be a password in it.
func parseURL(raw string) (*url.URL, error) {
	outside := func(r rune) bool { return r <= 0x20 || r > 0x7E || strings.ContainsRune("\"<>\\^`{|}", r) }
	u, err := url.Parse(raw)
	if err != nil || raw == "" || strings.ContainsFunc(raw, outside) {
		return nil, errors.New("expected an absolute https url of characters that RFC 3986 allows")
	}
	return u, nil
}

func checkPort(u *url.URL) error {
	if u.Port() == "" && !strings.HasSuffix(u.Host, ":") {
		return nil
	}
	if n, err := strconv.Atoi(u.Port()); err != nil || n < 1 || n > 65535 {
		return errors.New("expected a port from 1 to 65535")
	}
	return nil
}

// Loopback tells whether http to the host stays on this machine: localhost,
// *.localhost, 127.0.0.0/8 or ::1.
func Loopback(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || len(host) > len(".localhost") && strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && (addr.Is4() && addr.IsLoopback() || addr == netip.IPv6Loopback())
}
