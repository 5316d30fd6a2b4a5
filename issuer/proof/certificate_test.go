package proof

import (
	"crypto/x509"
	"encoding/pem"
	"testing"
)

// Made with openssl, which also told the value:
//
//	openssl x509 -outform DER | openssl dgst -sha256 -binary | base64 | tr '+/' '-_' | tr -d =
const (
	knownCertificate = `-----BEGIN CERTIFICATE-----
MIIBlzCCAT0CFGUAjcClUKSMgwS4Vt49Zl+nmVZ/MAoGCCqGSM49BAMCME0xCzAJ
BgNVBAYTAkRFMRYwFAYDVQQKDA1FeGFtcGxlLCBJbmMuMQ4wDAYDVQQLDAVCYXRj
aDEWMBQGA1UEAwwNbmlnaHRseS1iYXRjaDAgFw0yNjExMjUyMDA3MzZaGA8yMTI2
MTEwMTIwMDczNlowTTELMAkGA1UEBhMCREUxFjAUBgNVBAoMDUV4YW1wbGUsIElu
Yy4xDjAMBgNVBAsMBUJhdGNoMRYwFAYDVQQDDA1uaWdodGx5LWJhdGNoMFkwEwYH
KoZIzj0CAQYIKoZIzj0DAQcDQgAE92IEO1EcIzVkNzOxcJPxNNWmlcnE6TdIWg04
u6rO+Fht9sUq+VcJ8FYpusYCRQvPyHSItnBqA1eA9IHNnPptKjAKBggqhkjOPQQD
AgNIADBFAiBnbg4ZbLnD982rLg+DsjtHN3KVHpLwfsBMEb3488GPpgIhAIYuSsjo
0PrqZ3bW3xZLO4zjJd5dgipoxsxv0/hJAlaU
-----END CERTIFICATE-----`
	knownThumbprint = "BK4GJLXkSs85ld-rhu0Zksbx6PYfOvd-QFG95-1JXs0"
)

// Gates of others compare the same text.
func TestThumbprint(t *testing.T) {
	t.Parallel()
	block, _ := pem.Decode([]byte(knownCertificate))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if got := Thumbprint(cert); got != knownThumbprint {
		t.Errorf("%q, expected %q", got, knownThumbprint)
	}
}

// Nothing and a certificate that was never on a wire must not share a
// thumbprint that a token could carry.
func TestThumbprintOfNothing(t *testing.T) {
	t.Parallel()
	for _, cert := range []*x509.Certificate{nil, {}} {
		if got := Thumbprint(cert); got != "" {
			t.Errorf("%q", got)
		}
	}
}
