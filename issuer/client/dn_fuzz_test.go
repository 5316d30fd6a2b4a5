package client

import (
	"crypto/x509"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// spellName writes a name as RFC 4514 does, every octet of a value escaped.
func spellName(name distinguishedName) string {
	var relatives []string
	for _, relative := range name {
		var parts []string
		for _, a := range relative {
			var escaped strings.Builder
			for _, octet := range []byte(a.text) {
				fmt.Fprintf(&escaped, `\%02x`, octet)
			}
			parts = append(parts, dottedOID(a.oid)+"="+escaped.String())
		}
		relatives = append(relatives, strings.Join(parts, "+"))
	}
	return strings.Join(relatives, ",")
}

func dottedOID(content string) string {
	var oid x509.OID
	if err := oid.UnmarshalBinary([]byte(content)); err != nil {
		panic(err)
	}
	return oid.String()
}

// encodeName writes a name in DER, members of sets in reverse order.
func encodeName(name distinguishedName) []byte {
	var relatives []relativeDER
	for _, relative := range name {
		var members relativeDER
		for _, a := range relative {
			members = append(members, asUTF8(dottedOID(a.oid), a.text))
		}
		slices.Reverse(members)
		relatives = append(relatives, members)
	}
	slices.Reverse(relatives)
	return subjectDER(relatives...)
}

// An error comes without a name. A name that was read is the same after it was
// written and read again; it is that of a certificate made from it, and not of
// one that has a part more or less.
func FuzzParseDistinguishedName(f *testing.F) {
	for _, seed := range []string{`CN=nightly+OU=Batch,O=Example\, Inc.,C=DE`, `2.5.4.3=#0c0161`, "CN=#1e0400440045", `CN=\C3\84+SN= a  B ,DC=x`,
		`oid.2.999.1=\#`, "", ",", "CN=\\", "CN=#", `CN="a"`, "CN=\xff", "CN=\u0130", "CN=a+cn=A", "E=a@b,UID=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := ParseCertificateName("subject_dn", text)
		if err != nil {
			if parsed.expected != nil {
				t.Error("an error came with a name")
			}
			return
		}
		name := parsed.expected.(distinguishedName)
		again, err := ParseCertificateName("subject_dn", spellName(name))
		if err != nil || !reflect.DeepEqual(again, parsed) {
			t.Errorf("%q becomes %q, read as %v, %v", text, spellName(name), again, err)
		}
		if !parsed.Matches(&x509.Certificate{RawSubject: encodeName(name)}) {
			t.Errorf("%q is not the name of its own certificate", text)
		}
		for _, other := range []distinguishedName{name[1:], name[:len(name)-1], append(slices.Clone(name), name[0])} {
			if parsed.Matches(&x509.Certificate{RawSubject: encodeName(other)}) {
				t.Errorf("%q is the name of %v", text, other)
			}
		}
	})
}
