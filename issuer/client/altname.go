package client

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The entries of a subject alternative name that are looked at (RFC 5280
// section 4.2.1.6).
var (
	tagEmail = cbasn1.Tag(1).ContextSpecific()
	tagDNS   = cbasn1.Tag(2).ContextSpecific()
	tagURI   = cbasn1.Tag(6).ContextSpecific()
	tagIP    = cbasn1.Tag(7).ContextSpecific()
)

var oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// hasAlternativeName tells whether an entry with the tag is wanted. It reads
// the extension's own bytes, since [x509.Certificate.URIs] may be written
// otherwise than they were read. Where some entry cannot be read, none is.
func hasAlternativeName(cert *x509.Certificate, tag cbasn1.Tag, wanted func(entry []byte) bool) bool {
	at := slices.IndexFunc(cert.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidSubjectAltName) })
	if at < 0 {
		return false
	}
	input := cryptobyte.String(cert.Extensions[at].Value)
	var names cryptobyte.String
	if !input.ReadASN1(&names, cbasn1.SEQUENCE) || !input.Empty() {
		return false
	}
	found := false
	for !names.Empty() {
		var entry cryptobyte.String
		var read cbasn1.Tag
		if !names.ReadAnyASN1(&entry, &read) {
			return false
		}
		found = found || read == tag && wanted(entry)
	}
	return found
}

// dnsName is a host name in lower case.
type dnsName string

func parseDNSName(text string) (nameMatcher, error) {
	if !validDNSName(text) {
		return nil, errors.New("expected the full name of one host such as batch.example.com: letters, digits, - and _ between dots, no wildcard, no trailing dot (an address is a san_ip)")
	}
	return dnsName(lowerASCII(text)), nil
}

func (n dnsName) matches(cert *x509.Certificate) bool {
	return hasAlternativeName(cert, tagDNS, func(entry []byte) bool { return lowerASCII(string(entry)) == string(n) })
}

// validDNSName tells whether the text is a host name (RFC 1123 section 2.1) of
// A-labels. Underscores are let pass, as certificates of private CAs have them.
func validDNSName(text string) bool {
	labels := strings.Split(text, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || !only(label, letters+digits+"-_") {
			return false
		}
	}
	return len(text) <= 253 && !only(labels[len(labels)-1], digits) // that would be an address
}

// uriName is a URI as it is written. RFC 8705 section 2.1.2 knows no
// normalization, and two servers that normalize differently would differ in
// whom they let in.
type uriName string

func parseURIName(text string) (nameMatcher, error) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Scheme == "" || parsed.Opaque+parsed.Host+parsed.Path == "" || !only(text, uriCharacters) {
		return nil, errors.New("expected an absolute URI such as spiffe://example.com/batch, without spaces and in ASCII")
	}
	return uriName(text), nil
}

func (n uriName) matches(cert *x509.Certificate) bool {
	return hasAlternativeName(cert, tagURI, func(entry []byte) bool { return string(entry) == string(n) })
}

// ipName is an address. An IPv4 address that a certificate maps into IPv6
// (::ffff:192.0.2.1) is another one, since it is another entry.
type ipName netip.Addr

func parseIPName(text string) (nameMatcher, error) {
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" {
		return nil, errors.New("expected one IPv4 or IPv6 address such as 192.0.2.1, without zone, port and prefix length")
	}
	return ipName(address), nil
}

func (n ipName) matches(cert *x509.Certificate) bool {
	return hasAlternativeName(cert, tagIP, func(entry []byte) bool {
		address, ok := netip.AddrFromSlice(entry)
		return ok && address == netip.Addr(n)
	})
}

// emailName is a mailbox, its domain in lower case. The local part is the
// domain's own matter, case included (RFC 5280 section 7.5).
type emailName struct{ local, domain string }

func parseEmailName(text string) (nameMatcher, error) {
	local, domain, _ := strings.Cut(text, "@")
	atoms := strings.Split(local, ".")
	if slices.ContainsFunc(atoms, func(atom string) bool { return atom == "" || !only(atom, atomCharacters) }) || !validDNSName(domain) {
		return nil, errors.New("expected one mailbox such as batch@example.com, without name, quotes and comment")
	}
	return emailName{local: local, domain: lowerASCII(domain)}, nil
}

func (n emailName) matches(cert *x509.Certificate) bool {
	return hasAlternativeName(cert, tagEmail, func(entry []byte) bool {
		local, domain, found := strings.Cut(string(entry), "@")
		return found && local == n.local && lowerASCII(domain) == n.domain
	})
}

const (
	letters        = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits         = "0123456789"
	uriCharacters  = letters + digits + "-._~:/?#[]@!$&'()*+,;=%" // RFC 3986 section 2
	atomCharacters = letters + digits + "!#$%&'*+-/=?^_`{|}~"     // RFC 5322 section 3.2.3
)

// only tells whether the text has no other characters than these.
func only(text, characters string) bool {
	return strings.Trim(text, characters) == "" // what is left has another one at its end
}

// lowerASCII turns capitals of ASCII into small letters. [strings.ToLower] and
// [strings.EqualFold] go further: to them the Kelvin sign is a k.
func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}
