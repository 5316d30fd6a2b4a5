package store

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
)

// hostLength is how much of a host a prefix shows: with the hash it stays far
// below the 255 bytes that file systems allow for a name.
const hostLength = 64

// Prefix returns where the documents of one issuer are kept in a shared
// storage: "oauth2/", the host of its url for people to read, and a hash of
// the whole url that keeps issuers apart who share a host. It is made of
// a-z, 0-9, '.', '-' and one '/' alone, whatever the url holds.
func Prefix(issuer string) string {
	host := "issuer"
	if u, err := url.Parse(issuer); err == nil && u.Host != "" {
		host = readable(u.Host)
	}
	sum := sha256.Sum256([]byte(issuer))
	return "oauth2/" + host + "-" + hex.EncodeToString(sum[:8])
}

// readable replaces what a file system may not like: the colon of a port, the
// brackets of an IPv6 address, dots that hide a file or mean its parent.
func readable(host string) string {
	text := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '.' {
			return r
		}
		return '-'
	}, strings.ToLower(host))
	text = strings.ReplaceAll(text, "..", "-")
	text = strings.Trim(text[:min(len(text), hostLength)], ".-")
	if text == "" {
		return "issuer"
	}
	return text
}
