package client

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// relativeDER is a relative name as it is put into DER.
type relativeDER []attributeDER

type attributeDER struct {
	oid     string
	tag     cbasn1.Tag
	content string
}

const oidCN, oidO, oidOU, oidC = "2.5.4.3", "2.5.4.10", "2.5.4.11", "2.5.4.6"

func asUTF8(oid, text string) attributeDER { return attributeDER{oid, cbasn1.UTF8String, text} }

// subjectDER writes a name in the order of ASN.1, which is not that of RFC 4514.
func subjectDER(relatives ...relativeDER) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, relative := range relatives {
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
				for _, v := range relative {
					b.AddASN1(cbasn1.SEQUENCE, v.add)
				}
			})
		}
	})
	return b.BytesOrPanic()
}

func (v attributeDER) add(b *cryptobyte.Builder) {
	oid, err := x509.ParseOID(v.oid)
	if err != nil {
		panic(err)
	}
	b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) {
		der, _ := oid.MarshalBinary()
		b.AddBytes(der)
	})
	b.AddASN1(v.tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(v.content)) })
}

// Names are the same whatever the spelling of types, case, spaces, string
// types and the order within a relative name.
func TestSameSubject(t *testing.T) {
	t.Parallel()
	plain := []relativeDER{{asUTF8(oidC, "DE")}, {asUTF8(oidO, "Example, Inc.")}, {asUTF8(oidOU, "Batch"), asUTF8(oidCN, "nightly")}}
	for _, test := range []struct {
		text    string
		subject []relativeDER
	}{
		{`CN=nightly+OU=Batch,O=Example\, Inc.,C=DE`, plain},
		{`OU=Batch+CN=nightly,O=Example\, Inc.,C=DE`, plain},
		{`ou=BATCH+cn=Nightly,o=EXAMPLE\2c inc.,c=de`, plain},
		{` CN = nightly + OU = Batch , O = Example\2C Inc. , C = DE `, plain},
		{`commonName=nightly+organizationalUnitName=Batch,organizationName=Example\,   Inc.,countryName=DE`, plain},
		{`2.5.4.3=nightly+OID.2.5.4.11=Batch,oid.2.5.4.10=Example\, Inc.,2.5.4.6=#0c024445`, plain},
		{`CN=#0C076e696768746c79+OU=#1305` + hex.EncodeToString([]byte("BATCH")) + `,O=Example\, Inc.,C=#1e0400440045`, plain},
		{`CN=\6e\69ghtly\ \ +OU=\20Batch\20,O=\ Example\,\ \20Inc.\ ,C=DE`, plain},

		{`CN=a b`, []relativeDER{{asUTF8(oidCN, "  A  B ")}}},
		{`CN=Ärger`, []relativeDER{{asUTF8(oidCN, "äRGER")}}},
		{`CN=\C3\84rger`, []relativeDER{{attributeDER{oidCN, cbasn1.T61String, "\xc4rger"}}}},
		{`CN=Ärger`, []relativeDER{{attributeDER{oidCN, bmpString, "\x00\xe4\x00r\x00g\x00e\x00r"}}}},
		{`CN=ГОСТ 中`, []relativeDER{{attributeDER{oidCN, bmpString, "\x04\x33\x04\x3e\x04\x41\x04\x42\x00 \x4e\x2d"}}}},
		{`CN=a`, []relativeDER{{attributeDER{oidCN, cbasn1.PrintableString, "A"}}}},
		{`CN=17`, []relativeDER{{attributeDER{oidCN, numericString, "17"}}}},
		{`E=Batch@example.com`, []relativeDER{{attributeDER{"1.2.840.113549.1.9.1", cbasn1.IA5String, "batch@Example.com"}}}},
		{`DC=example,DC=com`, []relativeDER{{attributeDER{"0.9.2342.19200300.100.1.25", cbasn1.IA5String, "com"}}, {attributeDER{"0.9.2342.19200300.100.1.25", cbasn1.IA5String, "example"}}}},
		{`CN=\#x`, []relativeDER{{asUTF8(oidCN, "#x")}}},
		{`CN=x#`, []relativeDER{{asUTF8(oidCN, "x#")}}},
		{`CN=a=b`, []relativeDER{{asUTF8(oidCN, "a=b")}}},
		{`CN=a\=b`, []relativeDER{{asUTF8(oidCN, "a=b")}}},
		{`CN=\"\+\,\;\<\>\\`, []relativeDER{{asUTF8(oidCN, `"+,;<>\`)}}},
		{`CN=a\\,O=x`, []relativeDER{{asUTF8(oidO, "x")}, {asUTF8(oidCN, `a\`)}}},
		{`CN=a+CN=b`, []relativeDER{{asUTF8(oidCN, "b"), asUTF8(oidCN, "a")}}},
		{`CN=a,CN=a`, []relativeDER{{asUTF8(oidCN, "a")}, {asUTF8(oidCN, "a")}}},
		{`2.999.1.12345678=a`, []relativeDER{{asUTF8("2.999.1.12345678", "a")}}},
		{`CN=😀`, []relativeDER{{asUTF8(oidCN, "😀")}}},
	} {
		cert := certificateOf(t, x509.Certificate{RawSubject: subjectDER(test.subject...)})
		if !certificateName(t, "subject_dn", test.text).Matches(cert) {
			t.Errorf("%s does not match %v", test.text, cert.Subject)
		}
	}
}

// Somebody who gets a certificate with a name of his choice, but not this very
// name, must not pass for its owner.
func TestOtherSubject(t *testing.T) {
	t.Parallel()
	const text = `CN=admin+OU=k,O=Example\, Inc.,C=DE`
	country, org := relativeDER{asUTF8(oidC, "DE")}, relativeDER{asUTF8(oidO, "Example, Inc.")}
	named := func(name, unit string) []relativeDER {
		return []relativeDER{country, org, {asUTF8(oidCN, name), asUTF8(oidOU, unit)}}
	}
	name := certificateName(t, "subject_dn", text)
	if !name.Matches(certificateOf(t, x509.Certificate{RawSubject: subjectDER(named("admin", "k")...)})) {
		t.Fatal("the name itself does not match")
	}
	for what, subject := range map[string][]relativeDER{
		"nothing":                       {},
		"order of ASN.1":                {{asUTF8(oidCN, "admin"), asUTF8(oidOU, "k")}, org, country},
		"two swapped":                   {org, country, {asUTF8(oidCN, "admin"), asUTF8(oidOU, "k")}},
		"one more at the front":         append([]relativeDER{{asUTF8(oidO, "x")}}, named("admin", "k")...),
		"one more at the end":           append(named("admin", "k"), relativeDER{asUTF8(oidCN, "x")}),
		"the last one twice":            append(named("admin", "k"), relativeDER{asUTF8(oidCN, "admin"), asUTF8(oidOU, "k")}),
		"the first one missing":         {org, {asUTF8(oidCN, "admin"), asUTF8(oidOU, "k")}},
		"the last one missing":          {country, org},
		"set torn apart":                {country, org, {asUTF8(oidCN, "admin")}, {asUTF8(oidOU, "k")}},
		"set torn apart, other order":   {country, org, {asUTF8(oidOU, "k")}, {asUTF8(oidCN, "admin")}},
		"relative names made one":       {country, {asUTF8(oidO, "Example, Inc."), asUTF8(oidCN, "admin"), asUTF8(oidOU, "k")}},
		"part of the set":               {country, org, {asUTF8(oidCN, "admin")}},
		"more in the set":               {country, org, {asUTF8(oidCN, "admin"), asUTF8(oidOU, "k"), asUTF8(oidOU, "x")}},
		"a member twice":                {country, org, {asUTF8(oidCN, "admin"), asUTF8(oidOU, "k"), asUTF8(oidOU, "k")}},
		"types swapped":                 {country, org, {asUTF8(oidOU, "admin"), asUTF8(oidCN, "k")}},
		"the whole text as common name": {{asUTF8(oidCN, text)}},
		"the rest within the value":     {country, {asUTF8(oidCN, `admin+OU=k,O=Example\, Inc.`)}},
		"separator within the value":    {country, {asUTF8(oidO, "Example"), asUTF8(oidCN, "Inc.")}, {asUTF8(oidCN, "admin"), asUTF8(oidOU, "k")}},
		"escape taken literally":        {country, {asUTF8(oidO, `Example\, Inc.`)}, {asUTF8(oidCN, "admin"), asUTF8(oidOU, "k")}},
		"NUL and more":                  named("admin\x00.evil", "k"),
		"NUL at the end":                named("admin\x00", "k"),
		"NUL at the front":              named("\x00admin", "k"),
		"NUL as the end of a BMPString": {country, org, {attributeDER{oidCN, bmpString, "\x00a\x00d\x00m\x00i\x00n\x00\x00"}, asUTF8(oidOU, "k")}},
		"BMPString taken for UTF-8":     {country, org, {asUTF8(oidCN, "\x00a\x00d\x00m\x00i\x00n"), asUTF8(oidOU, "k")}},
		"UTF-8 taken for Latin-1":       {country, org, {attributeDER{oidCN, cbasn1.T61String, "admin\xc2\xa0"}, asUTF8(oidOU, "k")}},
		"tab":                           named("admin\t", "k"),
		"no-break space":                named("admin\u00a0", "k"),
		"zero-width space":              named("ad\u200bmin", "k"),
		"soft hyphen":                   named("ad\u00admin", "k"),
		"right-to-left mark":            named("admin\u200f", "k"),
		"Cyrillic a":                    named("\u0430dmin", "k"),
		"full-width a":                  named("\uff41dmin", "k"),
		"dotless i":                     named("adm\u0131n", "k"),
		"dotted capital I":              named("ADM\u0130N", "k"),
		"Kelvin sign":                   named("admin", "\u212a"),
		"combining mark":                named("admin\u0301", "k"),
		"space in the middle":           named("ad min", "k"),
		"prefix":                        named("admi", "k"),
		"longer":                        named("admin2", "k"),
		"other attribute type":          {country, {asUTF8("2.5.4.97", "Example, Inc.")}, {asUTF8(oidCN, "admin"), asUTF8(oidOU, "k")}},
	} {
		cert := certificateOf(t, x509.Certificate{RawSubject: subjectDER(subject...)})
		if name.Matches(cert) {
			t.Errorf("%s: matches", what)
		}
	}
	for _, pair := range [][2]string{{"CN=s", "\u017f"}, {"CN=ss", "ß"}, {"CN=fi", "\ufb01"}, {"CN=é", "e\u0301"}, {"CN=å", "a\u030a"}} {
		cert := certificateOf(t, x509.Certificate{RawSubject: subjectDER(relativeDER{asUTF8(oidCN, pair[1])})})
		if certificateName(t, "subject_dn", pair[0]).Matches(cert) {
			t.Errorf("%s matches %+q", pair[0], pair[1])
		}
	}
}

// A subject of which some part cannot be read is nobody's, also where the other
// parts are right. Most of these do not come out of crypto/x509, and need not.
func TestDamagedSubject(t *testing.T) {
	t.Parallel()
	name := certificateName(t, "subject_dn", "CN=a")
	good := subjectDER(relativeDER{asUTF8(oidCN, "a")})
	if !name.Matches(&x509.Certificate{RawSubject: good}) {
		t.Fatal("the whole subject does not match")
	}
	for what, hexadecimal := range map[string]string{
		"empty":                     "",
		"no relative name":          "3000",
		"good":                      "300c310a3008" + "0603550403" + "0c0161",
		"good and an octet":         "300c310a3008" + "0603550403" + "0c0161" + "00",
		"cut":                       "300c310a3008" + "0603550403" + "0c01",
		"an empty set":              "300e310a3008" + "0603550403" + "0c0161" + "3100",
		"something behind a value":  "300e310c300a" + "0603550403" + "0c0161" + "0500",
		"no value":                  "30093107" + "3005" + "0603550403",
		"a sequence for a set":      "300c300a3008" + "0603550403" + "0c0161",
		"a text for a type":         "300c310a3008" + "0c03550403" + "0c0161",
		"octets for a text":         "300c310a3008" + "0603550403" + "040161",
		"a constructed text":        "300e310c300a" + "0603550403" + "2c030c0161",
		"length in a long form":     "300d310b3009" + "0603550403" + "0c810161",
		"a type in a long form":     "300d310b3009" + "060455048003" + "0c0161",
		"not UTF-8":                 "300c310a3008" + "0603550403" + "0c01ff",
		"not ASCII":                 "300c310a3008" + "0603550403" + "1601e1",
		"half a character":          "300c310a3008" + "0603550403" + "1e0161",
		"a surrogate":               "300d310b3009" + "0603550403" + "1e02d83d",
		"an empty text":             "300b31093007" + "0603550403" + "0c00",
		"an indefinite length":      "3080310a3008" + "0603550403" + "0c0161" + "0000",
		"something behind the sets": "300e310a3008" + "0603550403" + "0c0161" + "0500",
	} {
		der, err := hex.DecodeString(hexadecimal)
		if err != nil {
			t.Fatal(err)
		}
		if name.Matches(&x509.Certificate{RawSubject: der}) != (what == "good") {
			t.Errorf("%s: unexpected answer", what)
		}
	}
}

// What openssl prints of a certificate that openssl made is its name here.
// testdata/subjects.sh says how they were made.
func TestSubjectsOfOpenSSL(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/subjects.pem")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var certs []*x509.Certificate
	for part := range strings.SplitSeq(string(text), "\n\n") {
		subject, encoded, _ := strings.Cut(part, "\n")
		block, _ := pem.Decode([]byte(encoded))
		if block == nil {
			continue // the head of the file
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		names, certs = append(names, strings.TrimPrefix(subject, "# ")), append(certs, cert)
	}
	if len(certs) != 9 {
		t.Fatalf("%d certificates", len(certs))
	}
	for i, text := range names {
		name := certificateName(t, "subject_dn", text)
		for j, cert := range certs {
			if name.Matches(cert) != (names[i] == names[j]) {
				t.Errorf("%s with the certificate of %s: unexpected answer", text, names[j])
			}
		}
	}
}
