package gate

import (
	"cmp"
	"errors"
	"slices"

	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Result is what came of a [Step].
type Result string

// The results.
const (
	Passed     Result = "passed"
	Failed     Result = "failed"      // one at most: the first that fails decides
	NotReached Result = "not_reached" // an earlier one has decided
)

// Step is one of the things that a gate holds a request against, for people who
// ask why it passes or does not. No field carries a token or a proof.
type Step struct {
	Check    string `json:"check"`
	Result   Result `json:"result"`
	Expected string `json:"expected"`
	Found    string `json:"found"` // what the request says, whoever wrote it
}

// aspect is a step and the reasons that it can fail for.
type aspect struct {
	name            string
	expected, found string
	reasons         []Reason
}

// Explain lists what a gate has looked at to come to its verdict on a request,
// in that order. It judges nothing itself: of the steps, the one that can fail
// for the verdict's reason has failed, and what stands before it has passed.
// Request and verdict must be those of one [Gate.Check].
func (g *Gate) Explain(r *Request, verdict *Verdict) []Step {
	aspects := g.aspects(r, verdict)
	decided := slices.IndexFunc(aspects, func(a aspect) bool { return slices.Contains(a.reasons, verdict.Reason) })
	if !verdict.Allowed && decided < 0 {
		aspects = append([]aspect{{name: "ready", expected: "a gate that can judge requests", found: string(verdict.Reason)}}, aspects...)
		decided = 0
	}
	steps := make([]Step, len(aspects))
	for i, one := range aspects {
		steps[i] = Step{Check: one.name, Expected: one.expected, Found: one.found, Result: Passed}
		switch {
		case verdict.Allowed || i < decided:
		case i == decided:
			steps[i].Result = Failed
			steps[i].Found = withCause(one.found, verdict.Err)
			if len(one.reasons) > 1 { // which of them
				steps[i].Found += ": " + verdict.Description()
			}
		default:
			steps[i].Result = NotReached
		}
	}
	return steps
}

// withCause adds what the failed check tells the log.
func withCause(found string, err error) string {
	cause := err
	var ofToken *token.Error
	var ofProof *proof.Error
	switch {
	case errors.As(err, &ofToken):
		cause = ofToken.Cause
	case errors.As(err, &ofProof):
		cause = ofProof.Cause
	}
	switch {
	case cause == nil:
		return found
	case found == "":
		return cause.Error()
	}
	return found + " (" + cause.Error() + ")"
}

// aspects are what [Gate.Check] looks at, in its order.
func (g *Gate) aspects(r *Request, verdict *Verdict) []aspect {
	ruled := g.rules.Load().Len() > 0
	public := verdict.Allowed && verdict.Reason == ReasonPublic
	var all []aspect
	if ruled {
		all = append(all, aspect{"path", "a path that every server reads alike", r.EscapedPath, []Reason{ReasonPath}})
	}
	if bridge, crossed := g.bridgeAspect(verdict); crossed {
		return g.permissionAspects(append(all, bridge), r, verdict, nil, token.Seen{})
	}
	kind, raw, reason := g.extract(r)
	if public && reason != "" {
		return append(all, g.ruleAspect(r, verdict))
	}
	all = append(all, tokenAspect(kind, reason))
	seen := token.Peek(raw)
	issuer := g.candidate(seen)
	if reason == "" {
		all = slices.Concat(all, g.signatureAspects(issuer, seen), g.claimAspects(issuer, seen), g.bindingAspects(kind, r, seen))
	}
	if public {
		return append(all, g.ruleAspect(r, verdict))
	}
	return g.permissionAspects(all, r, verdict, issuer, seen)
}

// permissionAspects adds what a client that is known may do.
func (g *Gate) permissionAspects(all []aspect, r *Request, verdict *Verdict, issuer Issuer, seen token.Seen) []aspect {
	if g.allowed != nil {
		who := clientOf(issuer, seen)
		if verdict.Bridge != "" && verdict.Signed != nil {
			who = verdict.Signed.ClientID
		}
		all = append(all, aspect{"allow_clients", "one of the clients that may pass here", who, []Reason{ReasonClient}})
	}
	if g.rules.Load().Len() > 0 {
		all = append(all, g.ruleAspect(r, verdict))
	}
	return append(all, g.scopeAspect(verdict, seen))
}

func tokenAspect(kind scheme, reason Reason) aspect {
	found := map[Reason]string{
		"": "one", ReasonNoToken: "none", ReasonScheme: "another credential", ReasonDuplicate: "several",
	}[reason]
	if reason == "" && kind == schemeDPoP {
		found = "one, with the scheme DPoP"
	}
	return aspect{"token", "one access token", found, []Reason{ReasonNoToken, ReasonScheme, ReasonDuplicate, ReasonBody}}
}

// ruleAspect is the rule that decides, whether it asks for something or not.
func (g *Gate) ruleAspect(r *Request, verdict *Verdict) aspect {
	found := "none for " + r.Method + " " + r.EscapedPath
	if verdict.Rule != nil {
		found = verdict.Rule.String() + ", from " + cmp.Or(verdict.Rule.Origin, "the configuration")
	}
	return aspect{"rule", "a rule that covers method and path", found, []Reason{ReasonNoRule}}
}

// Rules are the rules in force, in the order in which they were given. They
// must not be changed.
func (g *Gate) Rules() []Rule { return slices.Clone(g.rules.Load().rules) }
