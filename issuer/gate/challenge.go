package gate

import "strings"

// challenges makes the WWW-Authenticate fields of one gate (RFC 6750 section 3).
type challenges struct {
	bare string // scheme, realm and where the metadata is
}

func newChallenges(realm, metadataURL string) challenges {
	bare := `Bearer realm="` + quote(realm) + `"`
	if metadataURL != "" { // RFC 9728 section 5.1
		bare += `, resource_metadata="` + quote(metadataURL) + `"`
	}
	return challenges{bare: bare}
}

// Challenge is the WWW-Authenticate field of a denial; empty where there is
// none, since no other token would help.
func (g *Gate) Challenge(v *Verdict) string {
	switch v.outcome {
	case noToken: // RFC 6750 section 3.1: no error code where nothing was offered
		return g.challenge.bare
	case badToken:
	case badRequest:
		if v.Reason == ReasonPath {
			return ""
		}
	case lacksScope:
		return g.challenge.bare + g.errorOf(v) + `, scope="` + quote(v.Needed.String()) + `"`
	default:
		return ""
	}
	return g.challenge.bare + g.errorOf(v)
}

func (g *Gate) errorOf(v *Verdict) string {
	return `, error="` + v.Code() + `", error_description="` + v.Description() + `"`
}

// quote escapes what would end a quoted-string (RFC 9110 section 5.6.4).
func quote(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
}
