package issuer

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// Code is an error code as clients see it (RFC 6749 section 5.2, RFC 8707
// section 2).
type Code string

// The codes that the endpoints answer with.
const (
	InvalidRequest         Code = "invalid_request"
	InvalidClient          Code = "invalid_client"
	UnsupportedGrantType   Code = "unsupported_grant_type"
	InvalidScope           Code = "invalid_scope"
	InvalidTarget          Code = "invalid_target"          // RFC 8707 section 2
	UnauthorizedClient     Code = "unauthorized_client"     // RFC 7009 section 2.1
	InvalidDPoPProof       Code = "invalid_dpop_proof"      // RFC 9449 section 5
	UseDPoPNonce           Code = "use_dpop_nonce"          // RFC 9449 section 8
	TemporarilyUnavailable Code = "temporarily_unavailable" // as RFC 6749 section 4.1.2.1 names it
)

// Error is a refusal of an endpoint. What the client is told stands in
// Code and Description; Reason and Cause are for the operator alone.
type Error struct {
	Code        Code
	Status      int           // the HTTP status
	Description string        // printable ASCII without `"` and `\`
	Reason      string        // one of a bounded set of words, for logs and metrics
	RetryAfter  time.Duration // 0: no Retry-After
	Cause       error         // may be nil; never holds a secret
}

func (e *Error) Error() string {
	if e.Cause == nil {
		return fmt.Sprintf("%s: %s", e.Code, e.Description)
	}
	return fmt.Sprintf("%s: %s: %v", e.Code, e.Description, e.Cause)
}

// Unwrap returns the cause, which may be nil.
func (e *Error) Unwrap() error { return e.Cause }

func invalidRequest(reason, description string) *Error {
	return &Error{Code: InvalidRequest, Status: http.StatusBadRequest, Reason: reason, Description: description}
}

// unavailable tells a client to come back: what failed is on our side and
// passes (RFC 9110 section 15.6.4).
func unavailable(reason string, cause error) *Error {
	return &Error{
		Code: TemporarilyUnavailable, Status: http.StatusServiceUnavailable, Reason: reason,
		Description: "the server cannot answer now, try again", RetryAfter: time.Second, Cause: cause,
	}
}

// tooManyFailures tells a client at one address to stop guessing for a while
// (RFC 6585 section 4). It is said of clients that do not exist too.
func tooManyFailures(wait time.Duration) *Error {
	return &Error{
		Code: TemporarilyUnavailable, Status: http.StatusTooManyRequests, Reason: "too_many_failures",
		Description: "too many failed client authentications, try again later", RetryAfter: wait,
	}
}

// asError turns what any step returned into the one refusal that the client
// is told. It is the only place where causes become codes.
func asError(err error) *Error {
	var known *Error
	var failure *client.Failure
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, client.ErrBusy):
		return unavailable("busy", err)
	case errors.Is(err, client.ErrUnmarked):
		return unavailable("replay_marks", err)
	case errors.As(err, &failure):
		// One text for all reasons: which part was wrong is nobody's business
		// but the operator's (RFC 6749 section 5.2).
		return &Error{
			Code: InvalidClient, Status: http.StatusUnauthorized, Reason: string(failure.Reason),
			Description: "client authentication failed", Cause: err,
		}
	default:
		return unavailable("internal", err)
	}
}
