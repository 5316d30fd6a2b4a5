package openapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
	"go.yaml.in/yaml/v3"
)

// need is what an operation asks for. The zero value asks for a valid token.
type need struct {
	public       bool
	alternatives []token.Scopes // one of these sets; none: a token will do
	err          error          // why the gate cannot tell; where this stands the rest means nothing
}

// security reads security requirements: one of them is enough, and of each all
// schemes are needed. None at all ("[]") is public, and so is one that asks for
// nothing ("{}"), whatever the others ask for.
//
// An alternative that a token cannot satisfy, such as an API key, is left out:
// that asks for more. Where none is left, need.err says so.
func (r *reader) security(node *yaml.Node) (need, error) {
	requirements, err := r.list(node)
	if err != nil {
		return need{}, err
	}
	found := need{public: len(requirements) == 0}
	var unfit error
	bare := false // a token without any scope will do
	for _, node := range requirements {
		requirement, err := r.object(node)
		if err != nil {
			return need{}, err
		}
		if len(requirement.names) == 0 {
			found.public = true
			continue
		}
		scopes, problem := r.requirement(requirement)
		switch {
		case errors.Is(problem, errUnfit):
			unfit = problem
		case problem != nil:
			found.err = problem
		case len(scopes) == 0:
			bare = true
		default:
			found.alternatives = append(found.alternatives, scopes)
		}
	}
	switch {
	case found.err != nil:
		found.public, found.alternatives = false, nil
	case found.public || bare:
		found.alternatives = nil
	case len(found.alternatives) == 0:
		found.err = unfit
	}
	return found, nil
}

// errUnfit: a scheme that asks for something else than a token.
var errUnfit = errors.New("a token does not satisfy it, so the gate cannot check it: " +
	"expected oauth2, openIdConnect or http bearer among the alternatives, or a rule of the gate's own for the operation")

// requirement returns the scopes that all schemes of one alternative ask for.
// Some documents list scopes for bearer tokens too; to pass over them would ask
// for less than is written.
func (r *reader) requirement(requirement *fields) (token.Scopes, error) {
	var scopes token.Scopes
	for _, name := range requirement.names {
		problem, known := r.schemes[name]
		if !known {
			problem = r.scheme(name)
			r.schemes[name] = problem
		}
		if problem != nil {
			return nil, fmt.Errorf("security scheme %q: %w", name, problem)
		}
		list, err := r.list(requirement.values[name])
		if err != nil {
			return nil, fmt.Errorf("scopes of %q: %w", name, err)
		}
		for _, node := range list {
			scope, err := r.text(node)
			if err == nil && !token.ValidScope(scope) {
				err = fmt.Errorf("%q: expected printable ASCII without space, quote and backslash (RFC 6749 section 3.3)", scope)
			}
			if err != nil {
				return nil, fmt.Errorf("scopes of %q: %w", name, err)
			}
			scopes = scopes.Union(token.Scopes{scope})
		}
		if len(scopes) > maxList {
			return nil, fmt.Errorf("the schemes of one alternative ask for more than %d scopes", maxList)
		}
	}
	return scopes, nil
}

// scheme tells whether a token satisfies a security scheme: no error, or
// errUnfit, or what is wrong with the scheme.
func (r *reader) scheme(name string) error {
	scheme, err := r.findScheme(name)
	if err != nil {
		return err
	}
	kind, err := r.member(scheme, "type")
	if err != nil {
		return err
	}
	switch kind {
	case "oauth2", "openIdConnect":
		return nil
	case "http":
		how, err := r.member(scheme, "scheme")
		if err != nil || strings.EqualFold(how, "bearer") {
			return err
		}
		return fmt.Errorf("http %s: %w", how, errUnfit)
	case "apiKey", "mutualTLS":
		return fmt.Errorf("%s: %w", kind, errUnfit)
	}
	return fmt.Errorf("type %q: expected one of apiKey, http, mutualTLS, oauth2, openIdConnect", kind)
}

// findScheme returns a scheme of components.securitySchemes.
func (r *reader) findScheme(name string) (*fields, error) {
	object, err := r.object(r.root)
	for _, next := range []string{"components", "securitySchemes"} {
		if err != nil {
			return nil, err
		}
		node, err := object.get(next)
		if err != nil {
			return nil, err
		}
		if node == nil {
			return nil, errUndefined
		}
		if object, err = r.object(node); err != nil {
			return nil, fmt.Errorf("%s: %w", next, err)
		}
	}
	node := object.values[name]
	if node == nil {
		return nil, errUndefined
	}
	return r.resolve(node, func(name string) bool { return name == "type" || name == "scheme" })
}

var errUndefined = errors.New("it is not among the document's components.securitySchemes")

func (r *reader) member(object *fields, name string) (string, error) {
	node, err := object.get(name)
	if err != nil {
		return "", err
	}
	if node == nil {
		return "", fmt.Errorf("line %d: it has no %s", object.line, name)
	}
	return r.text(node)
}

// equal tells whether two operations ask for the same.
func (n need) equal(other need) bool {
	return n.public == other.public && slices.Equal(n.sorted(), other.sorted())
}

// sorted spells the alternatives without their order, which means nothing.
func (n need) sorted() []string {
	var all []string
	for _, scopes := range n.alternatives {
		all = append(all, strings.Join(slices.Sorted(slices.Values(scopes)), " "))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
