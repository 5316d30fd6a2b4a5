package token

import "errors"

// Check names one of the things that are judged of an access token. It is the
// bounded set from which metrics labels, log lines and descriptions are made.
type Check string

// The checks, in the order in which they are made.
const (
	CheckFormat      Check = "malformed"     // compact JWS, strict JSON, `crit`
	CheckType        Check = "typ"           // RFC 9068 section 4, RFC 8725 section 3.11
	CheckKey         Check = "key"           // `kid` of a published key
	CheckAlgorithm   Check = "alg"           // the key's own algorithm, RFC 8725 section 3.1
	CheckSignature   Check = "signature"     // RFC 7515 section 5.2
	CheckIssuer      Check = "iss"           // RFC 9068 section 4
	CheckAudience    Check = "aud"           // RFC 9068 section 4
	CheckExpired     Check = "expired"       // RFC 7519 section 4.1.4
	CheckNotYet      Check = "not_yet_valid" // RFC 7519 sections 4.1.5 and 4.1.6
	CheckIdentity    Check = "identity"      // client_id and scope fit to be passed on
	CheckBound       Check = "cnf"           // bound to a key: not a bearer token (RFC 9449 section 7.2)
	CheckUnbound     Check = "unbound"       // a bearer token where a bound one is needed
	CheckCertificate Check = "certificate"   // bound to another certificate than the connection's (RFC 8705 section 3)
	CheckRevoked     Check = "revoked"       // RFC 7009
	CheckClient      Check = "client"        // unknown, disabled, or re-enabled since
	CheckEntitlement Check = "entitlement"   // carries what the client no longer has
)

// Description is the printable text for `error_description`: it names the
// check and nothing of the token (RFC 6750 section 3, contract section 5).
func (c Check) Description() string {
	if text, ok := descriptions[c]; ok {
		return text
	}
	return "the access token is not valid"
}

var descriptions = map[Check]string{
	CheckFormat:      "the access token is malformed",
	CheckType:        "the access token has the wrong typ",
	CheckKey:         "the access token is signed with an unknown key (kid)",
	CheckAlgorithm:   "the access token is signed with the wrong alg",
	CheckSignature:   "the access token has a wrong signature",
	CheckIssuer:      "the access token has the wrong iss",
	CheckAudience:    "the access token has the wrong aud",
	CheckExpired:     "the access token is expired (exp)",
	CheckNotYet:      "the access token is not yet valid (nbf or iat)",
	CheckIdentity:    "the access token has a client_id or scope that cannot be used",
	CheckBound:       "the access token is bound to a key (cnf) and cannot be used as a bearer token",
	CheckUnbound:     "the access token is not bound to a key (cnf)",
	CheckCertificate: "the access token is bound to another certificate than that of the connection (cnf)",
	CheckRevoked:     "the access token is revoked",
	CheckClient:      "the client of the access token is disabled or removed",
	CheckEntitlement: "the client no longer has all that the access token carries",
}

// Error is the refusal of a token: the check that failed and, for the log
// alone, what was found. It never carries the token or a part of its signature.
type Error struct {
	Check Check
	Cause error
}

func (e *Error) Error() string {
	if e.Cause == nil {
		return string(e.Check)
	}
	return string(e.Check) + ": " + e.Cause.Error()
}

// Unwrap returns the cause, which may be nil.
func (e *Error) Unwrap() error { return e.Cause }

// Failed returns the check that err says has failed; ok is false where err is
// not the refusal of a token.
func Failed(err error) (check Check, ok bool) {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal.Check, true
	}
	return "", false
}

func refuse(check Check, cause error) error { return &Error{Check: check, Cause: cause} }
