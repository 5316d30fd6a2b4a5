package client

import "errors"

// ErrInvalidClient is what every [Failure] is to errors.Is: `invalid_client`
// (RFC 6749 section 5.2). The client is not told more.
var ErrInvalidClient = errors.New("client authentication failed")

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
)

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
func (f *Failure) Is(target error) bool { return target == ErrInvalidClient }

// Unwrap returns the cause, which may be nil.
func (f *Failure) Unwrap() error { return f.Cause }
