package client

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// alternatives writes the extension: tags, each with the entry's content.
func alternatives(entries ...any) []pkix.Extension {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for i := 0; i < len(entries); i += 2 {
			b.AddASN1(cbasn1.Tag(entries[i].(int)).ContextSpecific(), func(b *cryptobyte.Builder) {
				b.AddBytes([]byte(entries[i+1].(string)))
			})
		}
	})
	return []pkix.Extension{{Id: oidSubjectAltName, Value: b.BytesOrPanic()}}
}

const (
	sanEmail, sanDNS, sanURI, sanIP = 1, 2, 6, 7
	sanRegisteredID                 = 8

	mapped = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01" // ::ffff:192.0.2.1
)

// One entry of the right kind has to be the name, and nothing else counts.
func TestAlternativeNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind, value string
		entries     []any
		expected    bool
	}{
		{"san_dns", "a.example", []any{sanDNS, "a.example"}, true},
		{"san_dns", "A.example", []any{sanDNS, "a.EXAMPLE"}, true},
		{"san_dns", "localhost", []any{sanDNS, "localhost"}, true},
		{"san_dns", "xn--bcher-kva.example", []any{sanDNS, "xn--bcher-kva.example"}, true},
		{"san_dns", "a_b.example", []any{sanDNS, "a_b.example"}, true},
		{"san_dns", "a.example", []any{sanDNS, "b.example", sanURI, "urn:a:b", sanDNS, "a.example", sanDNS, "c.example"}, true},
		{"san_dns", "a.example", []any{sanDNS, "*.example"}, false},
		{"san_dns", "a.example", []any{sanDNS, "a.example."}, false},
		{"san_dns", "a.example", []any{sanDNS, "b.a.example"}, false},
		{"san_dns", "a.example", []any{sanDNS, "a.example.com"}, false},
		{"san_dns", "a.example", []any{sanDNS, "a.example\x00.evil.example"}, false},
		{"san_dns", "a.example", []any{sanDNS, " a.example"}, false},
		{"san_dns", "a.example", []any{sanDNS, ""}, false},
		{"san_dns", "a.example", []any{sanURI, "a.example"}, false},
		{"san_dns", "a.example", []any{sanEmail, "a.example"}, false},
		{"san_dns", "a.example", []any{sanRegisteredID, "a.example"}, false},

		{"san_uri", "spiffe://example.com/batch", []any{sanURI, "spiffe://example.com/batch"}, true},
		{"san_uri", "urn:uuid:f81d4fae", []any{sanDNS, "x.example", sanURI, "urn:uuid:f81d4fae"}, true},
		{"san_uri", "https://example.com/a%2fb?c#d", []any{sanURI, "https://example.com/a%2fb?c#d"}, true},
		{"san_uri", "https://example.com/a%2Fb", []any{sanURI, "https://example.com/a%2fb"}, false},
		{"san_uri", "https://example.com/#", []any{sanURI, "https://example.com/"}, false},
		{"san_uri", "HTTPS://example.com/", []any{sanURI, "https://example.com/"}, false}, // url.URL makes them the same
		{"san_uri", "https://example.com/", []any{sanURI, "https://example.com"}, false},
		{"san_uri", "https://example.com/a", []any{sanURI, "https://example.com/b/../a"}, false},
		{"san_uri", "spiffe://example.com/batch", []any{sanURI, "spiffe://example.com/batch/x"}, false},
		{"san_uri", "spiffe://example.com/batch", []any{sanURI, "spiffe://example.com/Batch"}, false},
		{"san_uri", "spiffe://example.com/batch", []any{sanDNS, "spiffe://example.com/batch"}, false},

		{"san_ip", "192.0.2.1", []any{sanIP, "\xc0\x00\x02\x01"}, true},
		{"san_ip", "2001:DB8:0::1", []any{sanIP, "\xc0\x00\x02\x01", sanIP, "\x20\x01\x0d\xb8" + mapped[:8] + "\x00\x00\x00\x01"}, true},
		{"san_ip", "192.0.2.2", []any{sanIP, "\xc0\x00\x02\x01"}, false},
		{"san_ip", "192.0.2.1", []any{sanDNS, "192.0.2.1"}, false},
		{"san_ip", "192.0.2.1", []any{sanIP, mapped}, false},
		{"san_ip", "::ffff:192.0.2.1", []any{sanIP, "\xc0\x00\x02\x01"}, false},
		{"san_ip", "::ffff:192.0.2.1", []any{sanIP, mapped}, true},

		{"san_email", "batch@example.com", []any{sanEmail, "batch@example.com"}, true},
		{"san_email", "batch@Example.com", []any{sanEmail, "batch@exAmple.com"}, true},
		{"san_email", "a.b+c@example.com", []any{sanEmail, "a.b+c@example.com"}, true},
		{"san_email", "batch@example.com", []any{sanEmail, "Batch@example.com"}, false},
		{"san_email", "batch@example.com", []any{sanEmail, "batch@mail.example.com"}, false},
		{"san_email", "batch@example.com", []any{sanEmail, "example.com"}, false},
		{"san_email", "batch@example.com", []any{sanEmail, "batch@example.com@evil.example"}, false},
		{"san_email", "batch@example.com", []any{sanEmail, "batch@example.com\x00"}, false},
		{"san_email", "batch@example.com", []any{sanEmail, "<batch@example.com>"}, false},
		{"san_email", "batch@example.com", []any{sanDNS, "batch@example.com"}, false},
	} {
		cert := certificateOf(t, x509.Certificate{ExtraExtensions: alternatives(test.entries...)})
		if certificateName(t, test.kind, test.value).Matches(cert) != test.expected {
			t.Errorf("%s %s with %q: %v", test.kind, test.value, test.entries, !test.expected)
		}
	}
}

// A subject is not an alternative name, whatever is in it.
func TestCommonNameIsNoAlternativeName(t *testing.T) {
	t.Parallel()
	for kind, value := range map[string]string{"san_dns": "a.example", "san_uri": "urn:a:b", "san_ip": "192.0.2.1", "san_email": "a@b.example"} {
		subject := subjectDER(relativeDER{asUTF8("1.2.840.113549.1.9.1", value)}, relativeDER{asUTF8("2.5.4.3", value)})
		if certificateName(t, kind, value).Matches(certificateOf(t, x509.Certificate{RawSubject: subject})) {
			t.Errorf("%s %s is found in the subject", kind, value)
		}
	}
}

// Where the extension cannot be read to its end, none of its entries counts.
// Such a certificate does not come out of crypto/x509, and need not.
func TestDamagedAlternativeNames(t *testing.T) {
	t.Parallel()
	name := certificateName(t, "san_dns", "a.example")
	good := alternatives(sanDNS, "a.example", sanDNS, "b.example")[0]
	if !name.Matches(&x509.Certificate{Extensions: []pkix.Extension{good}}) {
		t.Fatal("the whole extension does not match")
	}
	cut := append([]byte{}, good.Value[:len(good.Value)-1]...)
	cut[1]--
	for what, value := range map[string][]byte{
		"empty":              {},
		"cut":                good.Value[:len(good.Value)-1],
		"last entry cut":     cut,
		"something behind":   append(append([]byte{}, good.Value...), 0),
		"a set":              append([]byte{0x31}, good.Value[1:]...),
		"a constructed name": alternatives(sanDNS|0x20, "a.example")[0].Value,
	} {
		if name.Matches(&x509.Certificate{Extensions: []pkix.Extension{{Id: oidSubjectAltName, Value: value}}}) {
			t.Errorf("%s: matches", what)
		}
	}
	other := pkix.Extension{Id: []int{2, 5, 29, 18}, Value: good.Value} // the issuer's
	if name.Matches(&x509.Certificate{Extensions: []pkix.Extension{other}}) {
		t.Error("matches the issuer's alternative name")
	}
}
