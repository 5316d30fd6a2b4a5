package client

import (
	"crypto/sha256"
	"encoding/pem"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What ParseCertificates may say: no part of it comes from the file.
var certificateErrors = regexp.MustCompile(`^(` + strings.Join([]string{
	`line \d+: expected -----BEGIN CERTIFICATE-----, an empty line or a comment that begins with #`,
	`line \d+: expected -----END CERTIFICATE----- behind it`,
	`line \d+: expected base64 in the block that begins here, and nothing else`,
	`line \d+: expected an X\.509 certificate in the block that begins here`,
	`line \d+: expected at most \d+ certificates`,
	`expected at most \d+ bytes of certificates, found \d+`,
	`expected at least one certificate in PEM`,
}, "|") + `)$`)

// An error comes without certificates and quotes nothing. What was read is read
// again from its own spelling, and encoding/pem finds the same in the file.
func FuzzParseCertificates(f *testing.F) {
	file, err := os.ReadFile("testdata/subjects.pem")
	if err != nil {
		f.Fatal(err)
	}
	_, good, _ := strings.Cut(string(file), "\n\n")
	good, _, _ = strings.Cut(good, "\n\n")
	good += "\n"
	f.Add([]byte(good))
	f.Add([]byte(strings.ReplaceAll(good, "\n", " \r\n")))
	f.Add([]byte("# a\r\n" + good + "\n\n" + good))
	f.Add([]byte(good + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte(beginCertificate + "\n" + endCertificate))
	f.Add([]byte("#\x00\n\r"))
	f.Fuzz(func(t *testing.T, text []byte) {
		parsed, err := ParseCertificates(text)
		if err != nil {
			if parsed != nil {
				t.Error("an error came with certificates")
			}
			if !certificateErrors.MatchString(err.Error()) {
				t.Errorf("%q may quote the file", err)
			}
			return
		}
		certs := slices.Collect(maps.Values(parsed.bySum))
		again, err := ParseCertificates([]byte(inPEM(certs...)))
		if err != nil || len(again.bySum) != len(certs) {
			t.Fatalf("read again: %v", err)
		}
		found := make(map[[sha256.Size]byte]bool)
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			found[sha256.Sum256(block.Bytes)] = true
		}
		if len(found) != len(certs) {
			t.Errorf("encoding/pem finds %d certificates, not %d", len(found), len(certs))
		}
		for sum := range again.bySum {
			if !found[sum] {
				t.Error("encoding/pem finds another certificate")
			}
		}
	})
}
