package client

import "errors"

// certificate judges the certificate of the connection (RFC 8705 section 2): a
// client may have a name registered, certificates of its own, or both.
func (a *Authenticator) certificate(c Credentials) (Authenticated, error) {
	named, known := a.Registry.account(c.ClientID)
	switch {
	case !known:
		return Authenticated{}, &Failure{Reason: ReasonUnknownClient}
	case named.client.Disabled:
		return Authenticated{}, &Failure{Reason: ReasonDisabled}
	case named.client.Certificate == nil && named.client.SelfSigned == nil:
		return Authenticated{}, &Failure{Reason: ReasonNoCertificate}
	}
	if named.client.SelfSigned != nil {
		err := named.client.SelfSigned.Check(c.Certificate, a.Now())
		switch {
		case err == nil:
			return Authenticated{client: named.client, method: SelfSignedTLSClientAuth}, nil
		case errors.Is(err, ErrCertificateValidity):
			return Authenticated{}, &Failure{Reason: ReasonCertificateValidity, Cause: err}
		case named.client.Certificate == nil:
			return Authenticated{}, &Failure{Reason: ReasonCertificateUnknown}
		}
	}
	switch {
	case !c.ChainVerified: // or anybody could make one with that name
		return Authenticated{}, &Failure{Reason: ReasonCertificateChain}
	case !named.client.Certificate.Matches(c.Certificate):
		return Authenticated{}, &Failure{Reason: ReasonCertificateName}
	}
	return Authenticated{client: named.client, method: TLSClientAuth}, nil
}
