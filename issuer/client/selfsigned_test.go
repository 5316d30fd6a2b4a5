package client

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func inPEM(certs ...*x509.Certificate) string {
	var out strings.Builder
	for _, cert := range certs {
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	}
	return out.String()
}

func certificatesOf(tb testing.TB, certs ...*x509.Certificate) *Certificates {
	tb.Helper()
	parsed, err := ParseCertificates([]byte(inPEM(certs...)))
	if err != nil {
		tb.Fatal(err)
	}
	return parsed
}

// A certificate counts as a whole and within its own time, both ends included.
func TestCertificatesCheck(t *testing.T) {
	t.Parallel()
	from, until := time.Unix(1_800_000_000, 0), time.Unix(1_800_003_600, 0)
	template := x509.Certificate{RawSubject: subjectDER(relativeDER{asUTF8(oidCN, "a")}), NotBefore: from, NotAfter: until}
	registered, twin, second := certificateOf(t, template), certificateOf(t, template), certificateOf(t, template)
	set := certificatesOf(t, registered, second)
	sameKey := *registered
	sameKey.Raw = append(slices.Clone(registered.Raw[:len(registered.Raw)-1]), 0)
	longer := *registered
	longer.NotAfter = until.Add(time.Hour)
	for what, test := range map[string]struct {
		set      *Certificates
		cert     *x509.Certificate
		now      time.Time
		expected error
	}{
		"registered":             {set, registered, from.Add(time.Minute), nil},
		"the other one":          {set, second, from.Add(time.Minute), nil},
		"at its beginning":       {set, registered, from, nil},
		"before it":              {set, registered, from.Add(-time.Second), ErrCertificateValidity},
		"at its end":             {set, registered, until, nil},
		"past it":                {set, registered, until.Add(time.Second), ErrCertificateValidity},
		"end changed in memory":  {set, &longer, until.Add(time.Second), ErrCertificateValidity},
		"same subject":           {set, twin, from, ErrCertificateUnknown},
		"same key":               {set, &sameKey, from, ErrCertificateUnknown},
		"unknown and expired":    {set, twin, until.Add(time.Second), ErrCertificateUnknown},
		"no certificate":         {set, nil, from, ErrCertificateUnknown},
		"never on a wire":        {set, &x509.Certificate{NotBefore: from, NotAfter: until}, from, ErrCertificateUnknown},
		"no set":                 {nil, registered, from, ErrCertificateUnknown},
		"the zero set":           {new(Certificates), registered, from, ErrCertificateUnknown},
		"nothing in the zero":    {new(Certificates), nil, from, ErrCertificateUnknown},
		"empty one in the zero":  {new(Certificates), new(x509.Certificate), from, ErrCertificateUnknown},
		"the clock stands still": {set, registered, time.Time{}, ErrCertificateValidity},
	} {
		if err := test.set.Check(test.cert, test.now); !errors.Is(err, test.expected) || (err == nil) != (test.expected == nil) {
			t.Errorf("%s: %v, expected %v", what, err, test.expected)
		}
	}
}

// A file is what it seems to be, or an error: nothing in it is passed over, and
// nothing of it is quoted.
func TestParseCertificatesRefuses(t *testing.T) {
	t.Parallel()
	good := inPEM(certificateOf(t, x509.Certificate{}))
	block := func(kind string, content []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}))
	}
	const secret = "MC4CAQAwBQYDK2VwBCIEIsecretsecretsecretsecret"
	key := "-----BEGIN PRIVATE KEY-----\n" + secret + "\n-----END PRIVATE KEY-----\n"
	body := strings.TrimSuffix(strings.TrimPrefix(good, beginCertificate+"\n"), endCertificate+"\n")
	der, _ := pem.Decode([]byte(good))
	var many strings.Builder
	for range maxCertificates + 1 {
		many.WriteString(inPEM(certificateOf(t, x509.Certificate{})))
	}
	for what, test := range map[string]struct{ text, expected string }{
		"nothing":                {"", "at least one certificate"},
		"comments":               {"# later\n\n", "at least one certificate"},
		"a text":                 {secret + "\n", "line 1: expected " + beginCertificate},
		"a key":                  {key, "line 1: expected " + beginCertificate},
		"a key behind":           {good + key, "expected " + beginCertificate},
		"a key before":           {"# mine\n" + key + good, "line 2: expected"},
		"a text behind":          {good + secret, "expected " + beginCertificate},
		"a key within":           {beginCertificate + "\n" + key + endCertificate + "\n", "line 1: expected base64"},
		"a trusted certificate":  {block("TRUSTED CERTIFICATE", der.Bytes), "line 1: expected " + beginCertificate},
		"an old label":           {block("X509 CERTIFICATE", der.Bytes), "line 1"},
		"a request":              {block("CERTIFICATE REQUEST", der.Bytes), "line 1"},
		"small letters":          {strings.ToLower(beginCertificate) + "\n" + body + endCertificate, "line 1"},
		"an indented block":      {" " + good, "line 1"},
		"no end":                 {good + beginCertificate + "\n" + body, "expected " + endCertificate + " behind it"},
		"no end before the next": {beginCertificate + "\n" + body + good, "line 1: expected base64"},
		"an end alone":           {good + endCertificate, "expected " + beginCertificate},
		"headers":                {beginCertificate + "\nProc-Type: 4,ENCRYPTED\n\n" + body + endCertificate, "line 1: expected base64"},
		"a comment within":       {beginCertificate + "\n# " + secret + "\n" + body + endCertificate, "line 1: expected base64"},
		"not base64":             {beginCertificate + "\n" + secret + "-\n" + endCertificate, "line 1: expected base64"},
		"base64url":              {beginCertificate + "\n" + "MII_MII-" + "\n" + endCertificate, "line 1: expected base64"},
		"no content":             {beginCertificate + "\n" + endCertificate, "line 1: expected an X.509 certificate"},
		"a key as certificate":   {block("CERTIFICATE", []byte(secret)), "line 1: expected an X.509 certificate"},
		"two in one block":       {block("CERTIFICATE", append(slices.Clone(der.Bytes), der.Bytes...)), "line 1: expected an X.509 certificate"},
		"a certificate cut":      {block("CERTIFICATE", der.Bytes[:len(der.Bytes)-1]), "line 1: expected an X.509 certificate"},
		"bad behind good":        {good + "\n" + block("CERTIFICATE", nil), "expected an X.509 certificate"},
		"DER":                    {string(der.Bytes), "line 1: expected " + beginCertificate},
		"two carriage returns":   {strings.ReplaceAll(good, "\n", "\r\r\n"), "line 1: expected " + beginCertificate},
		"UTF-16":                 {"\xff\xfe" + good, "line 1: expected " + beginCertificate},
		"too many":               {many.String(), "at most 100 certificates"},
		"too long":               {good + strings.Repeat("#\n", maxCertificatesFile/2), "at most 1048576 bytes"},
	} {
		parsed, err := ParseCertificates([]byte(test.text))
		if err == nil || parsed != nil {
			t.Errorf("%s: %v, %v", what, parsed, err)
			continue
		}
		if !strings.Contains(err.Error(), test.expected) {
			t.Errorf("%s: %q does not say %q", what, err, test.expected)
		}
		if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "MC4") {
			t.Errorf("%s: %q quotes the file", what, err)
		}
	}
}

// Comments, empty lines, the line ends of Windows and repetitions are all right.
func TestParseCertificates(t *testing.T) {
	t.Parallel()
	one, two := certificateOf(t, x509.Certificate{}), certificateOf(t, x509.Certificate{})
	text := "# old\n" + inPEM(one) + "\n \n#new\n" + inPEM(two) + inPEM(one)
	for _, text := range []string{text, strings.ReplaceAll(text, "\n", "\r\n"), strings.TrimSuffix(text, "\n"), strings.ReplaceAll(text, "-\n", "- \n")} {
		parsed, err := ParseCertificates([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if len(parsed.bySum) != 2 || parsed.Check(one, time.Unix(1, 0)) != nil || parsed.Check(two, time.Unix(1, 0)) != nil {
			t.Errorf("%d certificates of %q", len(parsed.bySum), text)
		}
	}
	file, err := os.ReadFile("testdata/subjects.pem")
	if err != nil {
		t.Fatal(err)
	}
	if parsed, err := ParseCertificates(file); err != nil || len(parsed.bySum) != 9 {
		t.Errorf("the file that openssl made: %v", err)
	}
}

// A file that changed takes effect at the next request; requests go on meanwhile.
func TestHeldCertificates(t *testing.T) {
	t.Parallel()
	before, after := certificateOf(t, x509.Certificate{}), certificateOf(t, x509.Certificate{})
	now := time.Unix(1, 0)
	var held HeldCertificates
	if err := held.Check(before, now); !errors.Is(err, ErrCertificateUnknown) {
		t.Errorf("before the first file: %v", err)
	}
	held.Replace(certificatesOf(t, before))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				if held.Check(before, now) != nil && held.Check(after, now) != nil {
					t.Error("neither the old nor the new certificate is good")
				}
			}
		})
	}
	held.Replace(certificatesOf(t, after))
	group.Wait()
	if held.Check(before, now) == nil || held.Check(after, now) != nil {
		t.Error("the old certificates are still in force")
	}
	held.Replace(nil)
	if err := held.Check(after, now); !errors.Is(err, ErrCertificateUnknown) {
		t.Errorf("after all were taken: %v", err)
	}
}

// A token request costs one of these: the hash of the certificate.
func BenchmarkCertificates(b *testing.B) {
	for _, count := range []int{1, 100} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			certs := make([]*x509.Certificate, count)
			for i := range certs {
				certs[i] = certificateOf(b, x509.Certificate{})
			}
			var held HeldCertificates
			held.Replace(certificatesOf(b, certs...))
			b.ReportAllocs()
			for b.Loop() {
				if err := held.Check(certs[0], time.Unix(1, 0)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
