package openapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// operation is one method of one path of the document.
type operation struct {
	method, path string
	setting
}

// String names the operation as the document does: "GET /orders/{id}".
func (o *operation) String() string { return o.method + " " + o.path }

// setting is what an operation takes over from what is around it.
type setting struct {
	bases []string // what its servers put before its path
	need  need
}

// methods are the members of a path item that are operations.
var methods = map[string]string{
	"get": "GET", "put": "PUT", "post": "POST", "delete": "DELETE",
	"options": "OPTIONS", "head": "HEAD", "patch": "PATCH", "trace": "TRACE",
}

// descriptive are those that decide nothing here.
var descriptive = []string{"summary", "description", "parameters"}

// operations reads all operations, in the order of the document. Webhooks and
// callbacks are none: these are requests that the API makes.
func (r *reader) operations() ([]operation, error) {
	root, err := r.object(r.root)
	if err != nil {
		return nil, err
	}
	if err := r.checkVersion(root); err != nil {
		return nil, err
	}
	// An operation without a word on security needs a token all the same.
	outer, err := r.refine(setting{bases: []string{""}}, root)
	if err != nil {
		return nil, err
	}
	paths, err := r.paths(root)
	if err != nil {
		return nil, err
	}
	var all []operation
	for _, path := range paths.names {
		if strings.HasPrefix(path, "x-") {
			continue
		}
		if !strings.HasPrefix(path, "/") {
			return nil, fmt.Errorf("path %q: expected one that begins with a slash", path)
		}
		if len(path) > maxPath {
			return nil, fmt.Errorf("path %q...: expected at most %d bytes", path[:50], maxPath)
		}
		if all, err = r.pathItem(all, path, paths.values[path], outer); err != nil {
			return nil, err
		}
	}
	if len(all) == 0 { // a gate without rules asks for a token, and for no scope at all
		return nil, errors.New("the document has no operations")
	}
	return all, nil
}

func (r *reader) checkVersion(root *fields) error {
	if root.has("swagger") {
		return errors.New("the document is of Swagger 2.0: expected OpenAPI 3.0 or 3.1, to which converters exist")
	}
	node, err := root.get("openapi")
	if err != nil {
		return err
	}
	if node == nil {
		return errors.New(`the document has no member "openapi": expected one of OpenAPI 3.0 or 3.1`)
	}
	version, err := r.word(node)
	if err != nil {
		return fmt.Errorf("openapi: %w", err)
	}
	for _, known := range []string{"3.0", "3.1"} {
		if version == known || strings.HasPrefix(version, known+".") {
			return nil
		}
	}
	return fmt.Errorf("openapi: version %q: expected 3.0 or 3.1", version)
}

func (r *reader) paths(root *fields) (*fields, error) {
	node, err := root.get("paths")
	if err != nil || node == nil {
		return &fields{}, err
	}
	paths, err := r.object(node)
	if err != nil {
		return nil, fmt.Errorf("paths: %w", err)
	}
	return paths, nil
}

// refine returns outer with what an object of the document says instead.
func (r *reader) refine(outer setting, object *fields) (setting, error) {
	node, err := object.get("servers")
	if err == nil && node != nil {
		var bases []string
		bases, err = r.servers(node)
		if len(bases) > 0 {
			outer.bases = bases
		}
	}
	if err != nil {
		return outer, fmt.Errorf("servers: %w", err)
	}
	node, err = object.get("security")
	if err == nil && node != nil {
		outer.need, err = r.security(node)
	}
	if err != nil {
		return outer, fmt.Errorf("security: %w", err)
	}
	return outer, nil
}

// pathItem appends the operations of one path.
func (r *reader) pathItem(all []operation, path string, node *yaml.Node, outer setting) ([]operation, error) {
	item, err := r.resolve(node, func(name string) bool { return name == "servers" || methods[name] != "" })
	if err != nil {
		return nil, fmt.Errorf("path %q: %w", path, err)
	}
	// Security, of which a path item has none, is refused below.
	if outer, err = r.refine(outer, item); err != nil {
		return nil, fmt.Errorf("path %q: %w", path, err)
	}
	for _, name := range item.names {
		if methods[name] == "" && name != "servers" && !slices.Contains(descriptive, name) && !strings.HasPrefix(name, "x-") {
			return nil, fmt.Errorf("path %q: %q in line %d is no method: expected one of get, put, post, delete, options, head, patch, trace",
				path, name, item.values[name].Line)
		}
	}
	for _, name := range item.names {
		if methods[name] == "" {
			continue
		}
		operation := operation{method: methods[name], path: path}
		if operation.setting, err = r.operation(item.values[name], outer); err != nil {
			return nil, fmt.Errorf("%s: %w", &operation, err)
		}
		if all = append(all, operation); len(all) > maxRules {
			return nil, fmt.Errorf("the document has more than %d operations", maxRules)
		}
	}
	return all, nil
}

// operation reads what one operation says of itself. It cannot be a reference
// (OpenAPI 3.1.1 section 4.8.9), and to pass over one could open it.
func (r *reader) operation(node *yaml.Node, outer setting) (setting, error) {
	object, err := r.object(node)
	if err != nil {
		return setting{}, err
	}
	if object.has("$ref") {
		return setting{}, fmt.Errorf("line %d: an operation cannot be a $ref: expected it for the path", object.line)
	}
	return r.refine(outer, object)
}
