package gate

import "slices"

// bridgeAspect is what came to a bridge; ok is false where nothing did.
func (g *Gate) bridgeAspect(verdict *Verdict) (step aspect, ok bool) {
	step = aspect{name: "bridge", expected: "credentials of a client that may use the bridge"}
	switch {
	case verdict.Reason == ReasonMixed:
		step.expected, step.found = "a token or credentials for a bridge, once", "more than that"
	case verdict.Reason == ReasonBridgeEnded:
		step.expected, step.found = "a bridge that has not ended", "credentials for one that has"
	case verdict.Bridge == "":
		return aspect{}, false
	default:
		step.found = "credentials for " + string(verdict.Bridge)
		if verdict.Signed != nil {
			step.found += ", of " + verdict.Signed.ClientID
		}
	}
	// What follows the credentials has steps of its own.
	if !verdict.Allowed && !slices.Contains([]Reason{ReasonClient, ReasonNoRule, ReasonScope}, verdict.Reason) {
		step.reasons = []Reason{verdict.Reason}
	}
	return step, true
}
