package gate

import "strings"

// scheme is the authentication scheme of a token (RFC 9110 section 11.1).
type scheme uint8

const (
	schemeBearer scheme = iota // RFC 6750 section 2.1
	schemeDPoP                 // RFC 9449 section 7.1
)

// BearerMethod is a way in which a token may be sent (RFC 6750 section 2), by
// the name that RFC 9728 section 2 gives it.
type BearerMethod string

// The ways.
const (
	BearerHeader BearerMethod = "header" // RFC 6750 section 2.1
	BearerBody   BearerMethod = "body"   // section 2.2
	BearerQuery  BearerMethod = "query"  // section 2.3
)

// extract takes the token out of a request: out of the header, where the gate
// looks there, or what was found in body and query. The reason is empty where
// there is exactly one.
func (g *Gate) extract(r *Request) (kind scheme, raw string, reason Reason) {
	kind, raw, reason = schemeBearer, "", ReasonNoToken
	if g.header {
		kind, raw, reason = extract(r.Authorization)
	}
	switch elsewhere := len(r.Form) + len(r.Query); {
	case elsewhere == 0 || reason == ReasonDuplicate:
		return kind, raw, reason
	case reason == "" || elsewhere > 1: // RFC 6750 section 2: one way for each request
		return kind, "", ReasonDuplicate
	case len(r.Form) == 1:
		return schemeBearer, r.Form[0], ""
	default:
		return schemeBearer, r.Query[0], ""
	}
}

// extract takes the token out of the Authorization fields. The reason is empty
// where there is exactly one. What follows the scheme is not judged here:
// whatever is no token fails as one.
func extract(fields []string) (kind scheme, raw string, reason Reason) {
	switch len(fields) {
	case 0:
		return schemeBearer, "", ReasonNoToken
	case 1:
	default:
		// RFC 6750 section 3.1: the same parameter more than once. Which one an
		// upstream would take is anybody's guess.
		return schemeBearer, "", ReasonDuplicate
	}
	name, credentials, _ := strings.Cut(fields[0], " ")
	switch { // RFC 9110 section 11.1: without case
	case strings.EqualFold(name, "Bearer"):
	case strings.EqualFold(name, "DPoP"):
		kind = schemeDPoP
	default:
		return schemeBearer, "", ReasonScheme
	}
	raw = strings.Trim(credentials, " ")
	// A comma is no character of a token (RFC 6750 section 2.1: b64token): this
	// is a list of credentials, such as a proxy makes of two fields.
	if strings.IndexByte(raw, ',') >= 0 {
		return kind, "", ReasonDuplicate
	}
	return kind, raw, ""
}
