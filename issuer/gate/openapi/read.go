package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Bounds of a document, beside its size. A node takes up to 250 bytes, for as
// little as two in the document.
const (
	maxNodes = 600_000
	maxDepth = 200 // of JSON; yaml has a bound of its own, and we descend only where we look
)

// Bounds of what is made of a document: aliases and variables repeat.
const (
	maxRules = 10_000 // operations, and these once for each base path
	maxPath  = 2048   // bytes of a path, and of a server's url
	maxList  = 100    // servers, alternatives, scopes; members of an operation
)

// read makes a tree of a document. JSON is read as JSON and not as the YAML
// that it nearly is: the two disagree about tabs and about \ud83d\ude00.
func read(document []byte) (*yaml.Node, error) {
	document = bytes.TrimPrefix(document, []byte("\ufeff"))
	switch {
	case len(document) > MaxSize:
		return nil, fmt.Errorf("the document has %d bytes: expected at most %d", len(document), MaxSize)
	case len(bytes.TrimSpace(document)) == 0:
		return nil, errors.New("the document is empty")
	case !utf8.Valid(document) || bytes.IndexByte(document, 0) >= 0:
		return nil, errors.New("the document is no text in UTF-8")
	}
	if json.Valid(document) {
		return readJSON(document)
	}
	root, err := readYAML(document)
	if err != nil && bytes.TrimSpace(document)[0] == '{' && !errors.Is(err, errComplex) { // it was meant to be JSON
		return nil, fmt.Errorf("the document is no valid JSON: %w", json.Unmarshal(document, new(json.RawMessage)))
	}
	return root, err
}

var errComplex = fmt.Errorf("the document is too complex: expected at most %d values, %d levels deep", maxNodes, maxDepth)

// readYAML takes exactly one YAML document. The tree holds aliases as such, so
// that none is larger than the text.
func readYAML(document []byte) (*yaml.Node, error) {
	// What begins a node, or nearly: the parser has no bound of its own.
	count := 0
	for _, c := range document {
		if strings.IndexByte("[{,:-?\n", c) >= 0 {
			count++
		}
	}
	if count > maxNodes {
		return nil, errComplex
	}
	decoder := yaml.NewDecoder(bytes.NewReader(document))
	var root, more yaml.Node
	if err := decoder.Decode(&root); errors.Is(err, io.EOF) {
		return nil, errors.New("the document is empty")
	} else if err != nil {
		return nil, err
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file holds more than one YAML document: expected one")
	}
	return root.Content[0], nil
}

// jsonReader makes the nodes that YAML would, so that one reader does for both.
type jsonReader struct {
	document []byte
	decoder  *json.Decoder
	nodes    int
	line, at int
}

// readJSON takes valid JSON.
func readJSON(document []byte) (*yaml.Node, error) {
	r := &jsonReader{document: document, decoder: json.NewDecoder(bytes.NewReader(document)), line: 1}
	r.decoder.UseNumber()
	return r.value(0)
}

// value reads one value with all that it holds.
func (r *jsonReader) value(depth int) (*yaml.Node, error) {
	word, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		return nil, errComplex
	}
	end := int(r.decoder.InputOffset())
	r.line += bytes.Count(r.document[r.at:end], []byte("\n"))
	r.at = end
	node := &yaml.Node{Kind: yaml.ScalarNode, Line: r.line}
	switch word := word.(type) {
	case string:
		node.Tag, node.Value = "!!str", word
	case json.Number:
		node.Tag, node.Value = "!!float", word.String()
	case bool:
		node.Tag, node.Value = "!!bool", fmt.Sprint(word)
	case nil:
		node.Tag, node.Value = "!!null", "null"
	case json.Delim:
		node.Kind, node.Tag = yaml.SequenceNode, "!!seq"
		if word == '{' {
			node.Kind, node.Tag = yaml.MappingNode, "!!map"
		}
		for r.decoder.More() { // names of members are values here
			inner, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, inner)
		}
		_, err = r.decoder.Token()
	}
	return node, err
}
