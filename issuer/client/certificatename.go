package client

import (
	"crypto/x509"
	"fmt"
)

// CertificateName is what a certificate must be called for `tls_client_auth`
// (RFC 8705 section 2.1): one of its names is registered for the client. The
// zero value is no certificate's name.
type CertificateName struct {
	expected nameMatcher
}

// nameMatcher is a name of one kind. It is asked with certificates that are not nil.
type nameMatcher interface {
	matches(cert *x509.Certificate) bool
}

// ParseCertificateName reads a name of the given kind (RFC 8705 section 2.1.2):
//
//   - subject_dn: the subject as RFC 4514 writes it, which is what
//     `openssl x509 -noout -subject -nameopt RFC2253` prints. Its parts come in
//     the reverse of the certificate's order, which is what openssl prints
//     without the option: that is another name, which does not match
//   - san_dns: a dNSName entry, without wildcard and trailing dot
//   - san_uri: a uniformResourceIdentifier entry, an absolute URI
//   - san_ip: an iPAddress entry, IPv4 or IPv6
//   - san_email: an rfc822Name entry
//
// The error names kind and value and says what was expected.
func ParseCertificateName(kind, value string) (CertificateName, error) {
	var expected nameMatcher
	var err error
	switch kind {
	case "subject_dn":
		expected, err = parseDistinguishedName(value)
	case "san_dns":
		expected, err = parseDNSName(value)
	case "san_uri":
		expected, err = parseURIName(value)
	case "san_ip":
		expected, err = parseIPName(value)
	case "san_email":
		expected, err = parseEmailName(value)
	default:
		return CertificateName{}, fmt.Errorf("unknown kind of certificate name %q: expected subject_dn, san_dns, san_uri, san_ip or san_email", kind)
	}
	if err != nil {
		return CertificateName{}, fmt.Errorf("%s %q: %w", kind, value, err)
	}
	return CertificateName{expected: expected}, nil
}

// Matches tells whether the certificate is called so. Anybody can make a
// certificate with any name: whether its chain ends in a root that is trusted
// to give names is the caller's to ask first. The certificate must have been
// read from DER, as those of a connection were.
//
//   - A subject is compared whole: the same relative names in the same order,
//     those of several attributes as sets. Attribute types count by their
//     object identifiers; values by their text, without regard to case and to
//     the number of spaces, whatever string type they are written in
//     (RFC 5280 section 7.1).
//   - Of the alternative names, one entry must be the registered name: a host
//     name and the domain of a mailbox without regard to the case of ASCII
//     letters, all else exactly. No entry is taken as a pattern, and the
//     subject is not looked at.
func (n CertificateName) Matches(cert *x509.Certificate) bool {
	return n.expected != nil && cert != nil && n.expected.matches(cert)
}
