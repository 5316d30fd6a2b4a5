package openapi

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader looks into the tree of a document. It descends only where something
// decides on access: no schema, example or extension can stop it.
type reader struct {
	root *yaml.Node

	// budget is how many nodes may still be looked at. A small document that
	// repeats aliases of aliases is a large one.
	budget int
	merges int // how deep in merge keys we are

	objects map[*yaml.Node]*fields // those seen: many references lead through few
	schemes map[string]error       // what scheme said of each
}

func newReader(root *yaml.Node) *reader {
	return &reader{root: root, budget: 2 * maxNodes, objects: make(map[*yaml.Node]*fields), schemes: make(map[string]error)}
}

// fields are the members of an object, in the order of the document.
type fields struct {
	names  []string
	values map[string]*yaml.Node
	line   int
}

// wrong says what stands in a line instead of what was expected.
func wrong(node *yaml.Node, expected string) error {
	found := "a value of type " + strings.TrimPrefix(node.ShortTag(), "!!")
	switch node.ShortTag() {
	case "!!map":
		found = "an object"
	case "!!seq":
		found = "a list"
	case "!!null":
		found = "nothing"
	}
	return fmt.Errorf("line %d: expected %s, found %s", node.Line, expected, found)
}

// follow returns what an alias stands for.
func (r *reader) follow(node *yaml.Node) (*yaml.Node, error) {
	if r.budget--; r.budget < 0 {
		return nil, fmt.Errorf("line %d: %w", node.Line, errComplex)
	}
	if node.Kind == yaml.AliasNode {
		return node.Alias, nil
	}
	return node, nil
}

// text returns a string. A number is none: 1.10 is not "1.10" for every reader.
func (r *reader) text(node *yaml.Node) (string, error) {
	node, err := r.follow(node)
	if err != nil {
		return "", err
	}
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!str" {
		return "", wrong(node, "text")
	}
	return node.Value, nil
}

// list returns the values of a list, which is a short one.
func (r *reader) list(node *yaml.Node) ([]*yaml.Node, error) {
	node, err := r.follow(node)
	if err != nil {
		return nil, err
	}
	if node.Kind != yaml.SequenceNode || node.ShortTag() != "!!seq" {
		return nil, wrong(node, "a list")
	}
	if len(node.Content) > maxList {
		return nil, fmt.Errorf("line %d: a list of %d: expected at most %d", node.Line, len(node.Content), maxList)
	}
	return node.Content, nil
}

// object returns the members of an object. A member that stands twice is an
// error: readers disagree about which one counts.
func (r *reader) object(node *yaml.Node) (*fields, error) {
	node, err := r.follow(node)
	if err != nil {
		return nil, err
	}
	if seen := r.objects[node]; seen != nil {
		return seen, nil
	}
	if node.Kind != yaml.MappingNode || node.ShortTag() != "!!map" {
		return nil, wrong(node, "an object")
	}
	f := &fields{values: make(map[string]*yaml.Node, len(node.Content)/2), line: node.Line}
	var merged []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, err := r.follow(node.Content[i])
		switch {
		case err != nil:
			return nil, err
		case name.Kind != yaml.ScalarNode:
			return nil, wrong(name, "the name of a member")
		case name.ShortTag() == "!!merge" && merged == nil:
			merged = append(merged, node.Content[i+1])
			continue
		case f.has(name.Value), name.ShortTag() == "!!merge":
			return nil, fmt.Errorf("line %d: %q stands twice", name.Line, name.Value)
		}
		f.add(name.Value, node.Content[i+1])
	}
	if err := r.merge(f, merged); err != nil {
		return nil, err
	}
	r.objects[node] = f
	return f, nil
}

// merge adds what YAML's merge keys ("<<: *common") bring: the members that an
// object lacks, of earlier ones first.
func (r *reader) merge(f *fields, merged []*yaml.Node) error {
	r.merges++
	defer func() { r.merges-- }()
	for _, node := range merged {
		node, err := r.follow(node)
		if err != nil {
			return err
		}
		if r.merges > maxDepth {
			return fmt.Errorf("line %d: a merge key that runs in a circle", node.Line)
		}
		sources := []*yaml.Node{node}
		if node.Kind == yaml.SequenceNode {
			if sources, err = r.list(node); err != nil {
				return err
			}
		}
		for _, source := range sources {
			more, err := r.object(source)
			if err != nil {
				return err
			}
			r.budget -= len(more.names)
			for _, name := range more.names {
				if !f.has(name) {
					f.add(name, more.values[name])
				}
			}
		}
	}
	return nil
}

func (f *fields) add(name string, value *yaml.Node) {
	f.names = append(f.names, name)
	f.values[name] = value
}

func (f *fields) has(name string) bool {
	_, ok := f.values[name]
	return ok
}

// get returns a member of a small object, nil where there is none. One that is
// spelled in other case is an error: "Security" would be passed over, and access
// with it.
func (f *fields) get(name string) (*yaml.Node, error) {
	if len(f.names) > maxList {
		return nil, fmt.Errorf("line %d: an object of %d members: expected at most %d", f.line, len(f.names), maxList)
	}
	for _, other := range f.names {
		if other != name && strings.EqualFold(other, name) {
			return nil, fmt.Errorf("line %d: %q: expected %q", f.values[other].Line, other, name)
		}
	}
	return f.values[name], nil
}
