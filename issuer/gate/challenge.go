package gate

import (
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// challenges makes the WWW-Authenticate fields of one gate (RFC 6750 section 3,
// RFC 9449 section 7.1).
type challenges struct {
	bearer, dpop string // what they begin with: the scheme and what never changes
	also         string // beside that of Bearer: DPoP will do too
	basic        string // where that is a bridge
}

func newChallenges(realm, metadataURL string) challenges {
	where := `realm="` + quote(realm) + `"`
	if metadataURL != "" { // RFC 9728 section 5.1
		where += `, resource_metadata="` + quote(metadataURL) + `"`
	}
	algs := `algs="` + strings.Join(token.AlgorithmNames(), " ") + `"`
	return challenges{bearer: "Bearer " + where, dpop: "DPoP " + where + ", " + algs, also: "DPoP " + algs,
		basic: `Basic realm="` + quote(realm) + `", charset="UTF-8"`} // RFC 7617
}

// Challenges are the WWW-Authenticate fields of a denial, the one that concerns
// what was sent first; none where no other token would help.
func (g *Gate) Challenges(v *Verdict) []string {
	failed := `, error="` + v.Code() + `", error_description="` + v.Description() + `"`
	switch v.outcome {
	case noToken: // RFC 6750 section 3.1: no error code where nothing was offered
		return g.withBasic(g.challenge.bearer, g.challenge.also)
	case badCredentials:
		return g.withBasic(g.challenge.bearer)
	case badToken:
		if v.Reason == Reason(token.CheckBound) { // which scheme would do
			return []string{g.challenge.bearer + failed, g.challenge.also}
		}
	case badProof, needsNonce:
	case badRequest:
		if v.Reason != ReasonDuplicate { // no other token would help
			return nil
		}
	case lacksScope:
		failed += `, scope="` + quote(v.Needed.String()) + `"`
	default:
		return nil
	}
	if v.scheme == schemeDPoP {
		return []string{g.challenge.dpop + failed}
	}
	return []string{g.challenge.bearer + failed}
}

// withBasic adds the challenge for a bridge of that kind, as long as there is one.
func (g *Gate) withBasic(challenges ...string) []string {
	if g.inForce(BridgeBasic) {
		challenges = append(challenges, g.challenge.basic)
	}
	return challenges
}

// quote escapes what would end a quoted-string (RFC 9110 section 5.6.4).
func quote(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
}
