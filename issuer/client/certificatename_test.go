package client

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"
)

// certificateOf returns a certificate as a connection has it: one that was read
// from DER.
func certificateOf(tb testing.TB, template x509.Certificate) *x509.Certificate {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Unix(0, 0), time.Unix(1<<32, 0)
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return cert
}

func certificateName(tb testing.TB, kind, value string) CertificateName {
	tb.Helper()
	name, err := ParseCertificateName(kind, value)
	if err != nil {
		tb.Fatal(err)
	}
	return name
}

// A name that cannot be what the operator meant is refused when it is
// configured: later it would only fail to match.
func TestParseCertificateNameRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ kind, value, expected string }{
		{"", "CN=a", `unknown kind of certificate name ""`},
		{"dn", "CN=a", "expected subject_dn, san_dns, san_uri, san_ip or san_email"},
		{"SAN_DNS", "a.example", "unknown kind"},

		{"subject_dn", "", "expected <type>=<value>"},
		{"subject_dn", " ", "expected <type>=<value>"},
		{"subject_dn", "CN", "expected <type>=<value>"},
		{"subject_dn", "CN=a,", "expected <type>=<value>"},
		{"subject_dn", ",CN=a", "expected <type>=<value>"},
		{"subject_dn", "CN=a,,O=b", "expected <type>=<value>"},
		{"subject_dn", "CN=a+", "expected <type>=<value>"},
		{"subject_dn", "CN=Doe, John,O=b", `" John": expected <type>=<value>; a comma`},
		{"subject_dn", "=a", `unknown attribute type ""`},
		{"subject_dn", "=CN=a", `unknown attribute type ""`},
		{"subject_dn", "/C=DE/O=Example/CN=a", `unknown attribute type "/C"`},
		{"subject_dn", "XN=a", `unknown attribute type "XN"`},
		{"subject_dn", "C N=a", "unknown attribute type"},
		{"subject_dn", "\tCN=a", "unknown attribute type"},
		{"subject_dn", `C\4E=a`, "unknown attribute type"},
		{"subject_dn", "STREET\u017f=a", "unknown attribute type"},
		{"subject_dn", "2.5.4.03=a", "unknown attribute type"},
		{"subject_dn", "2.5.4.=a", "unknown attribute type"},
		{"subject_dn", "2=a", "unknown attribute type"},
		{"subject_dn", "3.5.4.3=a", "unknown attribute type"},
		{"subject_dn", "2.5.4.-3=a", "unknown attribute type"},
		{"subject_dn", "OID.CN=a", "unknown attribute type"},
		{"subject_dn", "OID.=a", "unknown attribute type"},
		{"subject_dn", "OID.OID.2.5.4.3=a", "unknown attribute type"},
		{"subject_dn", "CN=", "value of CN: expected a text that is not empty"},
		{"subject_dn", "CN=,O=a", "value of CN"},
		{"subject_dn", "CN=  ", "not empty"},
		{"subject_dn", `CN=\ \ `, "not empty"},
		{"subject_dn", "CN=#", "behind #"},
		{"subject_dn", "CN=#0", "behind #"},
		{"subject_dn", "CN=#0c", "behind #"},
		{"subject_dn", "CN=#0c0261", "behind #"},
		{"subject_dn", "CN=#0c016100", "behind #"},
		{"subject_dn", "CN=#0c 0161", "behind #"},
		{"subject_dn", "CN=#0c8101" + "61", "behind #"}, // BER
		{"subject_dn", "CN=#1 in town", "behind #"},
		{"subject_dn", "CN=#0c00", "not empty"},
		{"subject_dn", "CN=#0c01ff", "UTF-8"},
		{"subject_dn", "CN=#040161", "found tag 0x04"},
		{"subject_dn", "CN=#3003020101", "found tag 0x30"},
		{"subject_dn", "CN=#1301e4", "expected ASCII"},
		{"subject_dn", "CN=#1e0161", "two octets"},
		{"subject_dn", "CN=#1e04d83ddca9", "surrogates"},
		{"subject_dn", `CN=a;O=b`, "backslash before ;"},
		{"subject_dn", `O="Example, Inc."`, "backslash before \""},
		{"subject_dn", `O=<a`, "backslash before <"},
		{"subject_dn", `O=a>`, "backslash before >"},
		{"subject_dn", `CN=a\`, "behind a backslash"},
		{"subject_dn", `CN=a\4`, "behind a backslash"},
		{"subject_dn", `CN=a\xx`, "behind a backslash"},
		{"subject_dn", `CN=a\n`, "behind a backslash"},
		{"subject_dn", `CN=a\00`, "control characters"},
		{"subject_dn", "CN=a\x00", "control characters"},
		{"subject_dn", "CN=a\nO=b", "control characters"},
		{"subject_dn", "CN=a\u0085", "control characters"},
		{"subject_dn", "CN=\xe4", "UTF-8"},
		{"subject_dn", `CN=\e4`, "UTF-8"},
		{"subject_dn", `CN=\c3a`, "UTF-8"},
		{"subject_dn", "CN=a+CN=A", "twice"},
		{"subject_dn", "CN=a+O=b+commonName=\\61", "twice"},

		{"san_dns", "", "full name of one host"},
		{"san_dns", "*", "no wildcard"},
		{"san_dns", "*.example.com", "no wildcard"},
		{"san_dns", "example.com.", "no trailing dot"},
		{"san_dns", ".example.com", "full name"},
		{"san_dns", "a..b", "full name"},
		{"san_dns", " a.example", "full name"},
		{"san_dns", "a.example ", "full name"},
		{"san_dns", "a b.example", "full name"},
		{"san_dns", "a.example:443", "full name"},
		{"san_dns", "https://a.example", "full name"},
		{"san_dns", "-a.example", "full name"},
		{"san_dns", "a-.example", "full name"},
		{"san_dns", "bücher.example", "full name"}, // entries hold A-labels
		{"san_dns", "\u212a.example", "full name"},
		{"san_dns", "192.0.2.1", "an address is a san_ip"},
		{"san_dns", "2001:db8::1", "an address is a san_ip"},
		{"san_dns", strings.Repeat("a", 64) + ".example", "full name"},
		{"san_dns", strings.Repeat("abcdefg.", 32), "full name"},
		{"san_dns", "a.example,b.example", "full name"},

		{"san_uri", "", "absolute URI"},
		{"san_uri", "/batch", "absolute URI"},
		{"san_uri", "//example.com/batch", "absolute URI"},
		{"san_uri", "example.com", "absolute URI"},
		{"san_uri", "urn:", "absolute URI"},
		{"san_uri", "spiffe://", "absolute URI"},
		{"san_uri", "spiffe://example.com/a b", "absolute URI"},
		{"san_uri", " spiffe://example.com/a", "absolute URI"},
		{"san_uri", "spiffe://example.com/%zz", "absolute URI"},
		{"san_uri", "spiffe://example.com/ä", "in ASCII"},
		{"san_uri", "spiffe://example.com/<a>", "absolute URI"},

		{"san_ip", "", "one IPv4 or IPv6 address"},
		{"san_ip", "localhost", "address"},
		{"san_ip", "192.0.2", "address"},
		{"san_ip", "192.0.2.01", "address"},
		{"san_ip", "192.0.2.0/24", "prefix length"},
		{"san_ip", "192.0.2.1:443", "port"},
		{"san_ip", "[2001:db8::1]", "address"},
		{"san_ip", "fe80::1%eth0", "zone"},
		{"san_ip", " 192.0.2.1", "address"},

		{"san_email", "", "one mailbox"},
		{"san_email", "batch", "mailbox"},
		{"san_email", "@example.com", "mailbox"},
		{"san_email", "batch@", "mailbox"},
		{"san_email", "batch@example.com.", "mailbox"},
		{"san_email", "batch@*.example.com", "mailbox"},
		{"san_email", "batch@[192.0.2.1]", "mailbox"},
		{"san_email", "a@b@example.com", "mailbox"},
		{"san_email", ".a@example.com", "mailbox"},
		{"san_email", "a..b@example.com", "mailbox"},
		{"san_email", `"a b"@example.com`, "quotes"},
		{"san_email", "Batch <batch@example.com>", "without name"},
		{"san_email", "batch@example.com (job)", "comment"},
		{"san_email", "bätch@example.com", "mailbox"},
	} {
		name, err := ParseCertificateName(test.kind, test.value)
		if err == nil {
			t.Errorf("%s %q: accepted", test.kind, test.value)
			continue
		}
		if !strings.Contains(err.Error(), test.expected) || !strings.Contains(err.Error(), test.kind) {
			t.Errorf("%s %q: %q does not say %q", test.kind, test.value, err, test.expected)
		}
		if !reflect.ValueOf(name).IsZero() {
			t.Errorf("%s %q: an error came with a name", test.kind, test.value)
		}
	}
}

// What nobody filled in is nobody's name.
func TestCertificateNameOfNothing(t *testing.T) {
	t.Parallel()
	var zero CertificateName
	if zero.Matches(certificateOf(t, x509.Certificate{})) || zero.Matches(new(x509.Certificate)) || zero.Matches(nil) {
		t.Error("the zero name matches")
	}
	for kind, value := range map[string]string{"subject_dn": "CN=a", "san_dns": "a.example", "san_uri": "urn:a:b",
		"san_ip": "192.0.2.1", "san_email": "a@b.example"} {
		name := certificateName(t, kind, value)
		if name.Matches(nil) || name.Matches(new(x509.Certificate)) || name.Matches(certificateOf(t, x509.Certificate{})) {
			t.Errorf("%s matches a certificate without names", kind)
		}
	}
}

// A token request costs one of these, a few microseconds at most.
func BenchmarkCertificateName(b *testing.B) {
	cert := certificateOf(b, x509.Certificate{RawSubject: subjectDER(
		relativeDER{asUTF8("2.5.4.6", "DE")}, relativeDER{asUTF8("2.5.4.10", "Example, Inc.")}, relativeDER{asUTF8("2.5.4.3", "nightly"), asUTF8("2.5.4.11", "Batch")}),
		ExtraExtensions: alternatives(sanDNS, "a.example.com", sanURI, "spiffe://example.com/batch", sanIP, "\xc0\x00\x02\x01", sanEmail, "batch@example.com")})
	for _, test := range []struct{ kind, value string }{
		{"subject_dn", `CN=nightly+OU=Batch,O=Example\, Inc.,C=DE`},
		{"san_dns", "a.example.com"},
		{"san_uri", "spiffe://example.com/batch"},
		{"san_ip", "192.0.2.1"},
		{"san_email", "batch@example.com"},
	} {
		b.Run(test.kind, func(b *testing.B) {
			name := certificateName(b, test.kind, test.value)
			b.ReportAllocs()
			for b.Loop() {
				if !name.Matches(cert) {
					b.Fatal("no match")
				}
			}
		})
	}
}
