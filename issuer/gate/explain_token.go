package gate

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// candidate is whom [Gate.issuerOf] chooses; nil: nobody.
func (g *Gate) candidate(seen token.Seen) Issuer {
	if len(g.config.Issuers) == 1 {
		return g.config.Issuers[0]
	}
	for _, issuer := range g.config.Issuers {
		if issuer.URL() == seen.Claim("iss") {
			return issuer
		}
	}
	return nil
}

func clientOf(issuer Issuer, seen token.Seen) string {
	name := "client_id"
	if trusted, ok := issuer.(*Trusted); ok {
		for _, one := range trusted.read.ClientClaims {
			if seen.Claim(one) != "" {
				name = one
				break
			}
		}
	}
	return seen.Claim(name)
}

func on(checks ...token.Check) []Reason {
	reasons := make([]Reason, len(checks))
	for i, check := range checks {
		reasons[i] = Reason(check)
	}
	return reasons
}

// signatureAspects are what [Gate.authenticate] looks at.
func (g *Gate) signatureAspects(issuer Issuer, seen token.Seen) []aspect {
	format := aspect{"format", "a JWT with the claims of an access token", "", on(token.CheckFormat)}
	iss := aspect{"iss", g.issuers(), seen.Claim("iss"), on(token.CheckIssuer)}
	typ := aspect{"typ", token.Type, seen.Header("typ"), on(token.CheckType)}
	alg := aspect{"alg", "the alg of that key", seen.Header("alg"), on(token.CheckAlgorithm)}
	key := aspect{"key", "the kid of a key of the issuer", seen.Header("kid"), on(token.CheckKey)}
	signature := aspect{"signature", "made with that key", "", on(token.CheckSignature)}
	identity := aspect{"identity", "a client_id and scope that fit into a header", clientOf(issuer, seen), on(token.CheckIdentity)}
	several := len(g.config.Issuers) > 1
	var all []aspect
	if several { // its `iss` chooses
		all = []aspect{format, iss}
	} else {
		all = []aspect{format}
	}
	if trusted, ok := issuer.(*Trusted); ok {
		typ.expected, alg.expected = trusted.read.Type, "one of "+algorithmsOf(trusted)
		if typ.expected == "" {
			typ.expected = "any"
		}
		// The scope is read before keys are looked for.
		all = append(all, typ, alg, identity, key, signature)
	} else {
		all = append(all, typ, key, alg, signature)
	}
	if !several {
		all = append(all, iss)
	}
	if _, ok := issuer.(*Trusted); !ok {
		all = append(all, identity)
	}
	return all
}

func algorithmsOf(trusted *Trusted) string {
	names := make([]string, len(trusted.read.Algorithms))
	for i, alg := range trusted.read.Algorithms {
		names[i] = string(alg)
	}
	return strings.Join(names, ", ")
}

func (g *Gate) issuers() string {
	urls := make([]string, len(g.config.Issuers))
	for i, issuer := range g.config.Issuers {
		urls[i] = issuer.URL()
	}
	return strings.Join(urls, " or ")
}

// claimAspects are what [Gate.judge] looks at.
func (g *Gate) claimAspects(issuer Issuer, seen token.Seen) []aspect {
	now := g.config.Now()
	leeway := fmt.Sprintf(", %v of leeway", token.Leeway)
	all := []aspect{
		{"exp", "after " + moment(now.Unix()) + leeway, moment(seen.Date("exp")), on(token.CheckExpired)},
		{"nbf_iat", "not after " + moment(now.Unix()) + leeway, moment(seen.Date("nbf")) + ", " + moment(seen.Date("iat")), on(token.CheckNotYet)},
		{"aud", g.config.Resource, seen.Claim("aud"), on(token.CheckAudience)},
	}
	if issuer == nil || issuer.Clients() == nil {
		return all
	}
	return append(all,
		aspect{"revoked", "a token that was not revoked", "jti " + cmp.Or(seen.Claim("jti"), "none"), on(token.CheckRevoked)},
		aspect{"client", "a client that is there and enabled, and was since", seen.Claim("client_id"), on(token.CheckClient)},
		aspect{"bound", "a bound token where the client or the scheme needs one", confirmation(seen), on(token.CheckUnbound)},
		aspect{"entitlement", "scope, roles and aud that the client has", seen.Claim("scope"), on(token.CheckEntitlement)})
}

func moment(seconds int64) string {
	if seconds == 0 {
		return "none"
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}

func confirmation(seen token.Seen) string {
	if cnf := seen.Claim("cnf"); cnf != "" {
		return "cnf " + cnf
	}
	return "no cnf"
}

// bindingAspects are what [Gate.constrain] looks at.
func (g *Gate) bindingAspects(kind scheme, r *Request, seen token.Seen) []aspect {
	cnf := seen.Claim("cnf")
	var all []aspect
	if strings.Contains(cnf, "x5t#S256") {
		shown := "no certificate"
		if r.Certificate != nil {
			shown = "a certificate with x5t#S256 " + proof.Thumbprint(r.Certificate)
		}
		all = append(all, aspect{"certificate", cnf, shown, on(token.CheckCertificate)})
	}
	if kind != schemeDPoP && !strings.Contains(cnf, "jkt") {
		return all
	}
	shown := map[scheme]string{schemeBearer: "Bearer", schemeDPoP: "DPoP"}[kind]
	all = append(all, aspect{"scheme", "DPoP where the token is bound to a key, Bearer where not", shown, on(token.CheckBound, token.CheckUnbound)})
	url, err := g.proofURL(r.Target)
	if err != nil {
		url = "a url that can be compared"
	}
	return append(all, aspect{"dpop", "one proof, for " + r.Target.Method + " " + url, fmt.Sprintf("%d", len(r.DPoP)), proofReasons})
}

// proofReasons are what a proof can be refused for.
var proofReasons = []Reason{
	Reason(proof.CheckMissing), Reason(proof.CheckDuplicate), Reason(proof.CheckFormat), Reason(proof.CheckType),
	Reason(proof.CheckAlgorithm), Reason(proof.CheckKey), Reason(proof.CheckSignature), Reason(proof.CheckMethod),
	Reason(proof.CheckURL), Reason(proof.CheckTime), Reason(proof.CheckID), Reason(proof.CheckToken),
	Reason(proof.CheckNonce), Reason(proof.CheckReplay), Reason(proof.CheckBinding), ReasonReplayMarks,
}

// scopeAspect is what the request needs and the token has.
func (g *Gate) scopeAspect(verdict *Verdict, seen token.Seen) aspect {
	var needs []string
	for _, set := range g.Enough(verdict.Rule) {
		needs = append(needs, set.String())
	}
	needed := strings.Join(needs, ", or ")
	switch {
	case verdict.Uncovered:
		needed = "what a rule asks for"
	case needed == "":
		needed = "any"
	}
	found := seen.Claim("scope")
	if verdict.Signed != nil { // read as the issuer writes it
		found = verdict.Signed.Scope.String()
	}
	if found == "" {
		found = "none"
	}
	return aspect{"scope", needed, found, []Reason{ReasonScope}}
}

// UseKeys puts keys in the place of those that the server's tokens are judged
// with. It must come before the first token: nothing waits for it.
func (t *Trusted) UseKeys(found TrustedKeys) { t.keys = found }
