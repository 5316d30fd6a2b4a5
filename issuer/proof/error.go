package proof

import (
	"errors"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Check names one of the things that are judged of a DPoP proof. It is the
// bounded set from which metrics labels, log lines and descriptions are made.
type Check string

// The checks (RFC 9449 section 4.3). Those before CheckMethod are also those of
// [token.ReadProof], by the name of its check.
const (
	CheckMissing   Check = "dpop_missing"   // a proof is needed and none came
	CheckDuplicate Check = "dpop_duplicate" // more than one DPoP field
	CheckFormat    Check = "dpop_malformed" // compact JWS, strict JSON, `crit`
	CheckType      Check = "dpop_typ"       // typ dpop+jwt
	CheckAlgorithm Check = "dpop_alg"       // asymmetric, one of ours
	CheckKey       Check = "dpop_key"       // jwk: a public key that fits alg
	CheckSignature Check = "dpop_signature" // verifies with jwk
	CheckMethod    Check = "dpop_htm"       // the request's method
	CheckURL       Check = "dpop_htu"       // the request's url without query and fragment
	CheckTime      Check = "dpop_iat"       // recent, and not ahead
	CheckID        Check = "dpop_jti"       // there is one
	CheckToken     Check = "dpop_ath"       // the hash of the access token
	CheckNonce     Check = "dpop_nonce"     // one of the server's, recent (sections 8 and 9)
	CheckReplay    Check = "dpop_replayed"  // its jti is seen for the first time
	CheckBinding   Check = "dpop_jkt"       // the key that the token is bound to
)

// Description is the printable text for `error_description`: it names the
// check and nothing of the proof.
func (c Check) Description() string {
	if text, ok := descriptions[c]; ok {
		return text
	}
	return "the DPoP proof is not valid"
}

var descriptions = map[Check]string{ //nolint:gosec // words, not credentials
	CheckMissing:   "a DPoP proof is needed",
	CheckDuplicate: "more than one DPoP proof",
	CheckFormat:    "the DPoP proof is malformed",
	CheckType:      "the DPoP proof has the wrong typ",
	CheckAlgorithm: "the DPoP proof is signed with an alg that is not accepted",
	CheckKey:       "the jwk of the DPoP proof is not a public key that fits its alg",
	CheckSignature: "the DPoP proof has a wrong signature",
	CheckMethod:    "the DPoP proof is for another method (htm)",
	CheckURL:       "the DPoP proof is for another url (htu)",
	CheckTime:      "the DPoP proof is too old or from the future (iat)",
	CheckID:        "the DPoP proof has no jti",
	CheckToken:     "the DPoP proof is for another access token (ath)",
	CheckNonce:     "the DPoP proof needs the nonce in the DPoP-Nonce header",
	CheckReplay:    "the DPoP proof was used before (jti)",
	CheckBinding:   "the access token is bound to another key than that of the DPoP proof",
}

// Error is the refusal of a proof: the check that failed and, for the log
// alone, what was found. It never carries the proof.
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
// not the refusal of a proof.
func Failed(err error) (check Check, ok bool) {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal.Check, true
	}
	return "", false
}

func refuse(check Check, cause error) error { return &Error{Check: check, Cause: cause} }

// ofMessage renames the refusal of a JWS.
func ofMessage(err error) error {
	var refusal *token.Error
	if !errors.As(err, &refusal) {
		return refuse(CheckFormat, err)
	}
	return refuse(Check("dpop_"+string(refusal.Check)), refusal.Cause)
}
