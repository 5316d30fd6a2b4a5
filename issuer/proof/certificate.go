package proof

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
)

// Thumbprint returns what binds a token to a certificate, its `cnf.x5t#S256`
// (RFC 8705 section 3.1): the SHA-256 of the whole certificate in DER, as
// base64url without padding. It is empty, which no token is bound to, for nil
// and for a certificate that was not read from DER.
func Thumbprint(cert *x509.Certificate) string {
	if cert == nil || len(cert.Raw) == 0 {
		return ""
	}
	sum := sha256.Sum256(cert.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
