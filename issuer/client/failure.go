package client

import (
	"errors"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// ErrInvalidClient is what every [Failure] is to errors.Is: `invalid_client`
// (RFC 6749 section 5.2). The client is not told more.
var ErrInvalidClient = errors.New("client authentication failed")

// ErrUnjudged is what a [Failure] is too where the client may have been right:
// its keys could not be had yet. It is refused, and not counted against it.
var ErrUnjudged = errors.New("the client's keys are not known yet")

// Reason says why a client could not be authenticated: for the audit log and
// metrics, never for the client. The set is bounded.
type Reason string

// The reasons.
const (
	ReasonMissing       Reason = "missing"        // no credentials came
	ReasonMalformed     Reason = "malformed"      // they could not be read, or are of an unknown method
	ReasonUnknownClient Reason = "unknown_client" // no client has this client_id
	ReasonDisabled      Reason = "disabled"       // the client is disabled, whatever the secret
	ReasonNoSecret      Reason = "no_secret"      // the client has no secret: it may not use this method
	ReasonWrongSecret   Reason = "wrong_secret"   // none of its secrets is the presented one
	ReasonExpiredSecret Reason = "expired_secret" // the presented one was right and has expired

	ReasonNoBridge   Reason = "no_bridge"   // the client may not bring its secret to an API
	ReasonUnknownKey Reason = "unknown_key" // it is no API key of a client

	// Of an assertion (RFC 7523 section 3), besides those that
	// [token.Assertion] finds: assertion_typ, assertion_alg, assertion_malformed,
	// assertion_key and assertion_signature.
	ReasonNoKeys            Reason = "no_keys"                 // the client has none: it may not use this method
	ReasonKeysUnknown       Reason = "keys_unknown"            // they could not be fetched yet
	ReasonAssertionIssuer   Reason = "assertion_iss"           // `iss` is not the client
	ReasonAssertionAudience Reason = "assertion_aud"           // meant for another server
	ReasonAssertionExpired  Reason = "assertion_expired"       // `exp` is missing or past
	ReasonAssertionLifetime Reason = "assertion_lifetime"      // `exp` is too far ahead
	ReasonAssertionNotYet   Reason = "assertion_not_yet_valid" // `nbf` or `iat` is ahead
	ReasonAssertionID       Reason = "assertion_jti"           // there is none
	ReasonAssertionReplayed Reason = "assertion_replayed"      // the `jti` was used before
	ReasonAssertionStale    Reason = "assertion_stale"         // made before the last start: it may have been used

	// Of a certificate (RFC 8705 section 2).
	ReasonNoCertificate       Reason = "no_certificate_method"  // the client has none registered: it may not use this method
	ReasonCertificateChain    Reason = "certificate_unverified" // its chain was not verified
	ReasonCertificateName     Reason = "certificate_name"       // it is not called what is registered
	ReasonCertificateUnknown  Reason = "certificate_unknown"    // it is none of those registered
	ReasonCertificateValidity Reason = "certificate_validity"   // registered, and expired or not yet valid
)

// ofAssertion makes the reason from a check that failed.
func ofAssertion(check token.Check) Reason { return Reason("assertion_" + string(check)) }

// Failure is the refusal of a client. It quotes nothing of the credentials.
type Failure struct {
	Reason Reason
	Cause  error // what was malformed; may be nil
}

func (f *Failure) Error() string {
	text := ErrInvalidClient.Error() + ": " + string(f.Reason)
	if f.Cause != nil {
		text += ": " + f.Cause.Error()
	}
	return text
}

// Is makes all failures one [ErrInvalidClient].
func (f *Failure) Is(target error) bool {
	return target == ErrInvalidClient || target == ErrUnjudged && f.Reason == ReasonKeysUnknown
}

// Unwrap returns the cause, which may be nil.
func (f *Failure) Unwrap() error { return f.Cause }
