// Package openapi reads from an OpenAPI document (version 3.0 or 3.1, JSON or
// YAML) what requests to an API need, as rules of a gate.
//
// A document decides on access and is written by others than the gate's
// operator. So whatever it leaves open becomes an error or asks for more: never
// is an operation public unless the document says so in so many words. Nothing
// is read or fetched but the document itself.
//
//	read.go       from bytes to a tree: JSON or YAML, within bounds
//	tree.go       looks into the tree: no member twice, nothing of another type
//	reference.go  $ref, within the document
//	document.go   from the tree to operations
//	servers.go    the paths that servers put before those of operations
//	template.go   from path templates to patterns
//	security.go   from security requirements to scopes
//	rules.go      from operations to rules; what is the same, what conflicts
package openapi

import (
	"fmt"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// MaxSize is the size in bytes of the largest document that [Rules] reads.
const MaxSize = 4 << 20

// Rules returns one rule for each operation and base path of the document, but
// for those that explicit replaces. These are the operator's own rules, which
// win: an operation for whose method and very paths one of them stands becomes no
// rule. Where an explicit rule is for a subtree the more specific rule counts, as
// always, and that is the operation's. To be put behind explicit and given to a
// gate: [gate.NewRules] then finds conflicts between the two.
//
// The error names the operation ("GET /orders/{id}") or the line that is wrong,
// and comes without rules.
func Rules(document []byte, explicit []gate.Rule) (rules []gate.Rule, err error) {
	// The parser of YAML panics where it has a bug; a document that somebody
	// changed must not end the process that guards the API.
	defer func() {
		if problem := recover(); problem != nil {
			rules, err = nil, fmt.Errorf("the document cannot be read: %v", problem)
		}
	}()
	root, err := read(document)
	if err != nil {
		return nil, err
	}
	operations, err := newReader(root).operations()
	if err != nil {
		return nil, err
	}
	claims, err := claimAll(operations, gate.Overrides(explicit))
	if err != nil {
		return nil, err
	}
	claims, err = settle(claims)
	if err != nil {
		return nil, err
	}
	rules = make([]gate.Rule, len(claims))
	for i, claim := range claims {
		rules[i] = claim.rule()
	}
	if _, err := gate.NewRules(rules); err != nil {
		return nil, err
	}
	return rules, nil
}
