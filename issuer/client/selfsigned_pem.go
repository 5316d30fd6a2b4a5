package client

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Bounds of a file of certificates, far above what a client has in use at the
// same time.
const (
	maxCertificatesFile = 1 << 20 // bytes
	maxCertificates     = 100
)

// The lines around a certificate (RFC 7468 section 5.1).
const (
	beginCertificate = "-----BEGIN CERTIFICATE-----"
	endCertificate   = "-----END CERTIFICATE-----"
)

// ParseCertificates reads a file of one or more PEM blocks CERTIFICATE, at most
// 100 and 1 MiB; one that stands twice is one. Around them it takes empty lines
// and comments, which begin with #, and nothing else: encoding/pem would pass
// over a block that it cannot read, and a private key in the file is a mistake
// that must be noticed. Expired certificates are taken: [Certificates.Check]
// refuses them.
//
// Errors name the line and what was expected. They quote nothing, since a
// private key may stand there.
func ParseCertificates(pem []byte) (*Certificates, error) {
	if len(pem) > maxCertificatesFile {
		return nil, fmt.Errorf("expected at most %d bytes of certificates, found %d", maxCertificatesFile, len(pem))
	}
	parsed := &Certificates{bySum: make(map[[sha256.Size]byte]*x509.Certificate)}
	number, begin := 0, 0 // of this line, and of the one that began a block
	var encoded strings.Builder
	for line := range strings.Lines(string(pem)) {
		number++
		line = strings.TrimRight(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), " \t")
		switch {
		case begin != 0 && line == endCertificate:
			if err := parsed.add(encoded.String()); err != nil {
				return nil, fmt.Errorf("line %d: %w", begin, err)
			}
			encoded.Reset()
			begin = 0
		case begin != 0:
			encoded.WriteString(line)
		case line == beginCertificate:
			begin = number
		case line != "" && line[0] != '#':
			return nil, fmt.Errorf("line %d: expected %s, an empty line or a comment that begins with #", number, beginCertificate)
		}
	}
	if begin != 0 {
		return nil, fmt.Errorf("line %d: expected %s behind it", begin, endCertificate)
	}
	if len(parsed.bySum) == 0 {
		return nil, errors.New("expected at least one certificate in PEM")
	}
	return parsed, nil
}

// add takes the certificate of a block in. The cause of an error is left out:
// it may quote.
func (c *Certificates) add(encoded string) error {
	der, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return errors.New("expected base64 in the block that begins here, and nothing else")
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return errors.New("expected an X.509 certificate in the block that begins here")
	}
	c.bySum[sha256.Sum256(cert.Raw)] = cert
	if len(c.bySum) > maxCertificates {
		return fmt.Errorf("expected at most %d certificates", maxCertificates)
	}
	return nil
}
