package client

import (
	"cmp"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"unicode"
)

// distinguishedName is the name of a certificate's subject (RFC 5280 section
// 4.1.2.4), most specific part first as RFC 4514 writes it. Everything in it is
// in the one form in which it is compared: two names are the same if and only
// if they are equal in Go's sense.
type distinguishedName []relativeName

// relativeName is a set of attributes, sorted, at least one, and no two the same.
type relativeName []attribute

// attribute is a type and a value.
type attribute struct {
	oid  string // the content octets of its DER
	text string // see [foldText]
}

func (n distinguishedName) matches(cert *x509.Certificate) bool {
	// pkix.Name would do neither: it keeps no order and no sets.
	subject, err := readDistinguishedName(cert.RawSubject)
	return err == nil && len(n) > 0 && slices.EqualFunc(n, subject, slices.Equal[relativeName])
}

// newRelativeName makes a set of the attributes, which it takes over.
func newRelativeName(attributes []attribute) (relativeName, error) {
	slices.SortFunc(attributes, func(a, b attribute) int {
		return cmp.Or(strings.Compare(a.oid, b.oid), strings.Compare(a.text, b.text))
	})
	count := len(attributes)
	if count == 0 || len(slices.Compact(attributes)) != count {
		return nil, errors.New("expected each relative name to have attributes, and none of them twice")
	}
	return attributes, nil
}

// foldText brings the text of a value into the form in which it is compared:
// in lower case, without spaces at the ends, and with one where there are
// several (RFC 4518 sections 2.2 and 2.6.1).
//
// Everything else that RFC 4518 folds stays different: compatible characters
// (a full-width A, the Kelvin sign), composed and decomposed ones, and what it
// leaves out, such as soft hyphens. A CA that does not fold them may give such a
// name to somebody else, who would pass. A control character is an error rather
// than nothing: "admin\x00" is not "admin".
func foldText(text string) (string, error) {
	var folded strings.Builder
	space := false
	for _, r := range text {
		switch {
		case r == ' ':
			space = folded.Len() > 0
			continue
		case r == unicode.ReplacementChar: // what is not UTF-8 is read as it
			return "", errors.New("expected UTF-8")
		case unicode.IsControl(r):
			return "", errors.New("expected no control characters")
		}
		if space {
			folded.WriteByte(' ')
			space = false
		}
		folded.WriteRune(lower(r))
	}
	if folded.Len() == 0 {
		return "", errors.New("expected a text that is not empty")
	}
	return folded.String(), nil
}

// lower is [unicode.ToLower] that turns no other character into an ASCII one:
// neither the Kelvin sign into a k, nor a dotted capital I into an i.
func lower(r rune) rune {
	if small := unicode.ToLower(r); r <= unicode.MaxASCII || small > unicode.MaxASCII {
		return small
	}
	return r
}
