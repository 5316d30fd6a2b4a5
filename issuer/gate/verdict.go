package gate

import (
	"net/http"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Reason says in one of a bounded set of words why a request passes or does
// not. Where a check of the token or of its proof failed it is that
// [token.Check] or [proof.Check]; where credentials did, that of a [Refusal].
type Reason string

// The reasons that are not checks of a token.
const (
	ReasonToken     Reason = "token"              // passes: a valid token with the scopes
	ReasonPublic    Reason = "public"             // passes: the rule asks for nothing
	ReasonNoToken   Reason = "no_token"           // no Authorization header
	ReasonScheme    Reason = "scheme"             // Authorization of another scheme than Bearer and DPoP
	ReasonDuplicate Reason = "duplicate"          // more than one token
	ReasonPath      Reason = "ambiguous_path"     // upstreams may read the path differently
	ReasonScope     Reason = "insufficient_scope" // the token lacks a scope
	ReasonNoRule    Reason = "no_rule"            // no rule covers method and path
	ReasonClient    Reason = "client_not_allowed" // allow_clients does not name the client

	ReasonBody        Reason = "body"         // a form that may hold a token could not be read
	ReasonReplayMarks Reason = "replay_marks" // it cannot be told whether the proof was used before
	ReasonNotReady    Reason = "not_ready"    // there is no key to verify tokens with yet

	ReasonBridge      Reason = "bridge"            // passes: a client's secret over a bridge, with the scopes
	ReasonMixed       Reason = "mixed_credentials" // a token and credentials for a bridge, or these twice
	ReasonBridgeEnded Reason = "bridge_ended"      // a secret for a bridge that is no more
)

// Verdict is what a gate thinks of a request. The zero value denies.
type Verdict struct {
	Allowed bool
	Reason  Reason
	Claims  *token.Claims // what was verified; nil where nothing was
	Rule    *Rule         // the rule that covers the request; nil: none
	Needed  token.Scopes  // where a scope is missing: all that is needed
	Err     error         // the cause, for the log; nil where Reason says all

	// Uncovered: the gate has rules, and none covers the request, whatever the
	// reason says.
	Uncovered bool
	// Signed is what a token says that its issuer has signed, but that may have
	// been refused: expired, for another resource, without its proof. It tells an
	// operator whose it is, and decides nothing. nil: nobody knows.
	Signed *token.Claims

	// Fresh: the signature of the token was checked for this request, since it was
	// not remembered.
	Fresh bool

	// Named is [Refusal.Named].
	Named string

	// Nonce is for the DPoP-Nonce field of the answer, also of one that passes;
	// empty: none (RFC 9449 section 9).
	Nonce string
	// Proved is the key that was proved; empty: none was asked for.
	Proved string

	// Bridge is the one over which credentials came in place of a token; empty:
	// none. Sunset is when it ends; zero: never.
	Bridge BridgeKind
	Sunset time.Time
	// RetryAfter is how long the client must wait; 0: it is not said.
	RetryAfter time.Duration

	outcome     outcome
	scheme      scheme // in which the token came
	description string // of the check that failed
}

// outcome is the row of contract section 5 that a denial falls into.
type outcome uint8

const (
	forbidden outcome = iota // the zero value: deny, and promise nothing
	noToken
	badRequest
	badToken
	badProof
	needsNonce
	lacksScope
	badCredentials
	tooMany
	unavailable
)

func deny(why outcome, reason Reason, cause error) Verdict {
	return Verdict{outcome: why, Reason: reason, Err: cause}
}

// NotReady is the denial of a gate that cannot judge anything yet.
func NotReady(cause error) Verdict { return deny(unavailable, ReasonNotReady, cause) }

// Unreadable is the denial of a request whose body may hold a token and could
// not be read.
func Unreadable(cause error) Verdict { return deny(badRequest, ReasonBody, cause) }

// Status is the HTTP status of the denial.
func (v *Verdict) Status() int {
	switch v.outcome {
	case noToken, badToken, badProof, needsNonce, badCredentials:
		return http.StatusUnauthorized
	case unavailable:
		return http.StatusServiceUnavailable
	case tooMany: // RFC 6585 section 4
		return http.StatusTooManyRequests
	case badRequest:
		return http.StatusBadRequest
	default:
		return http.StatusForbidden
	}
}

// Code is the error code of the denial (RFC 6750 section 3.1, RFC 9449 section
// 7.1); in the body alone where no RFC has a code for it.
func (v *Verdict) Code() string {
	switch v.outcome {
	case noToken:
		return "unauthorized"
	case badRequest:
		return "invalid_request"
	case badToken:
		return "invalid_token"
	case badProof:
		return "invalid_dpop_proof"
	case needsNonce:
		return "use_dpop_nonce"
	case lacksScope:
		return "insufficient_scope"
	case badCredentials: // RFC 6749 section 5.2
		return "invalid_client"
	case tooMany, unavailable:
		return "temporarily_unavailable"
	default:
		return "access_denied"
	}
}

// Description is a sentence for people, printable ASCII without `"` and `\`.
// It says nothing of the token but which check failed.
func (v *Verdict) Description() string {
	switch v.Reason {
	case ReasonNoToken, ReasonBridgeEnded:
		return "an access token is needed"
	case ReasonScheme:
		return "an access token is needed, in an Authorization header with the scheme Bearer or DPoP"
	case ReasonDuplicate:
		return "more than one access token"
	case ReasonMixed:
		return "credentials in more than one way"
	case ReasonPath:
		return "the path is ambiguous"
	case ReasonBody:
		return "the request body could not be read"
	case ReasonScope:
		return "the access token lacks a scope that is needed"
	case ReasonNoRule:
		return "no rule allows this method and path"
	case ReasonClient:
		return "the client may not use this resource"
	}
	switch {
	case v.outcome == unavailable:
		return "the server cannot answer now, try again"
	case v.outcome == tooMany:
		return "too many failed client authentications, try again later"
	case v.outcome == badCredentials: // whatever was wrong with them
		return "client authentication failed"
	case v.outcome == forbidden && v.Bridge != "":
		return "the client may not use this resource"
	}
	return v.description
}
