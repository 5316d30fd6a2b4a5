package client

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Why a certificate is not good for `self_signed_tls_client_auth`.
var (
	// ErrCertificateUnknown: it is none of those registered.
	ErrCertificateUnknown = errors.New("the certificate is not registered")
	// ErrCertificateValidity: it is registered, and expired or not yet valid.
	ErrCertificateValidity = errors.New("the certificate is not valid at this time")
)

// Certificates are those registered for `self_signed_tls_client_auth` (RFC 8705
// section 2.2). The set does not change and is safe for concurrent use; nil and
// the zero value have none.
type Certificates struct {
	// Sums need no comparison in constant time: a certificate is public, and so
	// is the sum of one that a stranger makes.
	bySum map[[sha256.Size]byte]*x509.Certificate
}

// Check tells whether the certificate may authenticate at the moment now: it
// is one of those registered, as a whole and not by its key or name alone, and
// within its own time, both ends included (RFC 5280 section 4.1.2.5). The
// error wraps [ErrCertificateUnknown] or [ErrCertificateValidity].
//
// Its chain is not asked for. That the peer holds the private key is what the
// TLS handshake has shown.
func (c *Certificates) Check(cert *x509.Certificate, now time.Time) error {
	if c == nil || cert == nil {
		return ErrCertificateUnknown
	}
	registered, known := c.bySum[sha256.Sum256(cert.Raw)]
	switch {
	case !known:
		return ErrCertificateUnknown
	case now.Before(registered.NotBefore):
		return fmt.Errorf("%w: not before %s", ErrCertificateValidity, registered.NotBefore.UTC().Format(time.RFC3339))
	case now.After(registered.NotAfter):
		return fmt.Errorf("%w: expired at %s", ErrCertificateValidity, registered.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

// HeldCertificates are [Certificates] that can be exchanged for others, since
// their file is read again when it changes. They are safe for concurrent use;
// before the first Replace there are none.
type HeldCertificates struct {
	current atomic.Pointer[Certificates]
}

// Replace puts others in place of those held; nil: none.
func (h *HeldCertificates) Replace(with *Certificates) { h.current.Store(with) }

// Check is [Certificates.Check] of those held at this moment.
func (h *HeldCertificates) Check(cert *x509.Certificate, now time.Time) error {
	return h.current.Load().Check(cert, now)
}
