package gate

import "strings"

// extract takes the token out of the Authorization fields (RFC 6750 section
// 2.1). The reason is empty where there is exactly one. What follows the scheme
// is not judged here: whatever is no token fails as one.
func extract(fields []string) (raw string, reason Reason) {
	switch len(fields) {
	case 0:
		return "", ReasonNoToken
	case 1:
	default:
		// RFC 6750 section 3.1: the same parameter more than once. Which one an
		// upstream would take is anybody's guess.
		return "", ReasonDuplicate
	}
	scheme, credentials, _ := strings.Cut(fields[0], " ")
	if !strings.EqualFold(scheme, "Bearer") { // RFC 9110 section 11.1: without case
		return "", ReasonScheme
	}
	raw = strings.Trim(credentials, " ")
	// A comma is no character of a token (RFC 6750 section 2.1: b64token): this
	// is a list of credentials, such as a proxy makes of two fields.
	if strings.IndexByte(raw, ',') >= 0 {
		return "", ReasonDuplicate
	}
	return raw, ""
}
