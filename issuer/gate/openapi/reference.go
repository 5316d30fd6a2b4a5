package openapi

import (
	"fmt"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"
)

const maxReferences = 20

// resolve returns the members of an object, or of the one that it refers to,
// maybe by way of others. Beside tells which members may not stand next to a
// reference: OpenAPI leaves open what they would mean.
func (r *reader) resolve(node *yaml.Node, beside func(name string) bool) (*fields, error) {
	for range maxReferences {
		object, err := r.object(node)
		if err != nil {
			return nil, err
		}
		if !object.has("$ref") {
			return object, nil
		}
		for _, name := range object.names {
			if beside(name) {
				return nil, fmt.Errorf("line %d: %q stands beside $ref: expected one of them", object.line, name)
			}
		}
		target, err := r.text(object.values["$ref"])
		if err != nil {
			return nil, fmt.Errorf("$ref: %w", err)
		}
		if node, err = r.find(target); err != nil {
			return nil, fmt.Errorf("line %d: $ref %q: %w", object.line, target, err)
		}
	}
	return nil, fmt.Errorf("line %d: $ref runs in a circle", node.Line)
}

// find returns what a JSON pointer within the document points at (RFC 6901
// section 6). Other documents are not read: a url in a document that others
// write would make the gate a client of theirs.
func (r *reader) find(target string) (*yaml.Node, error) {
	pointer, within := strings.CutPrefix(target, "#/")
	if !within {
		return nil, fmt.Errorf(`expected a reference within the document, such as "#/components/pathItems/orders"; other documents are not read`)
	}
	node := r.root
	for word := range strings.SplitSeq(pointer, "/") {
		word, err := url.PathUnescape(word)
		if err != nil {
			return nil, fmt.Errorf("invalid percent-encoding in %q", word)
		}
		object, err := r.object(node)
		if err != nil {
			return nil, err
		}
		word = strings.NewReplacer("~1", "/", "~0", "~").Replace(word)
		if node = object.values[word]; node == nil {
			return nil, fmt.Errorf("there is no %q", word)
		}
	}
	return node, nil
}
