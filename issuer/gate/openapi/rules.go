package openapi

import (
	"errors"
	"fmt"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// claim is an operation below one base path.
type claim struct {
	*operation
	pattern string
	partial bool // the pattern is for more paths than the operation
}

// claimAll makes claims of all operations but those that the operator's own
// rules are for.
func claimAll(operations []operation, overridden func(method, pattern string) bool) ([]claim, error) {
	var claims []claim
	var problems []error
	for i := range operations {
		operation := &operations[i]
		made, err := claimEach(operation, overridden)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", operation, err))
		}
		if claims = append(claims, made...); len(claims) > maxRules {
			return nil, fmt.Errorf("the document has more than %d operations, counted once for each base path", maxRules)
		}
	}
	return claims, summary(problems)
}

// claimEach does so for one operation.
func claimEach(operation *operation, overridden func(method, pattern string) bool) ([]claim, error) {
	var claims []claim
	for _, base := range operation.bases {
		text, partial, err := pattern(base, operation.path)
		if err != nil {
			return nil, err
		}
		if overridden(operation.method, text) {
			continue
		}
		if operation.need.err != nil {
			return nil, operation.need.err
		}
		claims = append(claims, claim{operation, text, partial})
	}
	return claims, nil
}

// summary is the first of several problems, and how many there are.
func summary(problems []error) error {
	switch len(problems) {
	case 0:
		return nil
	case 1:
		return problems[0]
	}
	return fmt.Errorf("%w (the first of %d problems)", problems[0], len(problems))
}

// settle decides between claims to the same paths. What is left is for
// different requests.
func settle(claims []claim) ([]claim, error) {
	groups := make(map[string][]claim, len(claims))
	var order []string
	for _, claim := range claims {
		name := claim.method + " " + key(claim.pattern)
		if groups[name] == nil {
			order = append(order, name)
		}
		groups[name] = append(groups[name], claim)
	}
	settled := make([]claim, 0, len(order))
	var problems []error
	for _, name := range order {
		winner, err := settleGroup(groups[name])
		if err != nil {
			problems = append(problems, err)
		}
		settled = append(settled, winner)
	}
	return settled, summary(problems)
}

// settleGroup returns the claim that counts for the paths of all of them.
func settleGroup(group []claim) (claim, error) {
	winner := group[0]
	for _, claim := range group[1:] {
		if winner.partial && !claim.partial {
			winner, claim = claim, winner
		}
		if !winner.partial && !claim.partial {
			return winner, fmt.Errorf("%s and %s are for the same paths: expected one of them", winner, claim)
		}
		if !winner.need.equal(claim.need) {
			return winner, fmt.Errorf("%s and %s need different scopes, and the gate cannot tell them apart: %w", winner, claim, errPart)
		}
	}
	if winner.partial {
		return winner, fmt.Errorf("%s: %w", winner, errPart)
	}
	return winner, nil // those for a part ask for the same: nothing is added
}

var errPart = errors.New("a segment is more than one parameter, and the gate's wildcards stand for whole segments; " +
	"expected a rule of the gate's own for it")

// rule is what the gate gets.
func (c *claim) rule() gate.Rule {
	rule := gate.Rule{
		Methods: []string{c.method},
		Pattern: c.pattern,
		Public:  c.need.public,
		Origin:  "openapi " + c.String(),
	}
	if len(c.need.alternatives) == 1 {
		rule.Scopes = c.need.alternatives[0]
	} else {
		rule.Alternatives = c.need.alternatives
	}
	return rule
}
