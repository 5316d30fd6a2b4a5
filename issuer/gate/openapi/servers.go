package openapi

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// servers returns the distinct paths of servers' urls, without the last slash.
// Hosts mean nothing: the gate stands where Caddy's site does.
func (r *reader) servers(node *yaml.Node) ([]string, error) {
	servers, err := r.list(node)
	if err != nil {
		return nil, err
	}
	var bases []string
	for _, node := range servers {
		base, err := r.server(node)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(bases, base) {
			bases = append(bases, base)
		}
	}
	return bases, nil
}

func (r *reader) server(node *yaml.Node) (string, error) {
	server, err := r.object(node)
	if err != nil {
		return "", err
	}
	node, err = server.get("url")
	if err != nil {
		return "", err
	}
	if node == nil {
		return "", fmt.Errorf("line %d: a server without url", server.line)
	}
	text, err := r.text(node)
	if err != nil {
		return "", fmt.Errorf("url: %w", err)
	}
	if len(text) > maxPath {
		return "", fmt.Errorf("line %d: expected a url of at most %d bytes", server.line, maxPath)
	}
	expanded, err := r.expand(text, server)
	if err != nil {
		return "", fmt.Errorf("url %q: %w", text, err)
	}
	base, err := basePath(expanded)
	if err != nil {
		return "", fmt.Errorf("url %q: %w", text, err)
	}
	return base, nil
}

// expand puts the defaults of a server's variables into its url. Other values
// that a variable may have are other servers, and are not listed.
func (r *reader) expand(text string, server *fields) (string, error) {
	var expanded strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		expanded.WriteString(before)
		if !found {
			return expanded.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", errors.New(`a "{" without "}"`)
		}
		value, err := r.variable(name, server)
		if err != nil {
			return "", fmt.Errorf("variable %q: %w", name, err)
		}
		if expanded.WriteString(value); expanded.Len() > maxPath {
			return "", fmt.Errorf("expected at most %d bytes", maxPath)
		}
		text = after
	}
}

func (r *reader) variable(name string, server *fields) (string, error) {
	node, err := server.get("variables")
	if err != nil {
		return "", err
	}
	if node == nil {
		return "", errors.New("the server has no variables")
	}
	variables, err := r.object(node)
	if err != nil {
		return "", err
	}
	if node = variables.values[name]; node == nil {
		return "", errors.New("it is not among the server's variables")
	}
	variable, err := r.object(node)
	if err != nil {
		return "", err
	}
	if node, err = variable.get("default"); err != nil {
		return "", err
	}
	if node == nil {
		return "", errors.New("it has no default")
	}
	return r.word(node)
}

// word returns a text, or a number as it is written: versions and ports are
// often left without quotes.
func (r *reader) word(node *yaml.Node) (string, error) {
	node, err := r.follow(node)
	if err != nil {
		return "", err
	}
	if tag := node.ShortTag(); node.Kind == yaml.ScalarNode && (tag == "!!int" || tag == "!!float") {
		return node.Value, nil
	}
	return r.text(node)
}

// basePath is the path of a server's url. A relative one is relative to where
// the document is served, which the gate does not know.
func basePath(text string) (string, error) {
	server, err := url.Parse(text)
	switch {
	case err != nil:
		return "", errors.New("it is no url")
	case server.RawQuery != "" || server.ForceQuery || strings.Contains(text, "#"):
		return "", errors.New("expected neither query nor fragment")
	case server.Opaque != "" || server.Host == "" && !strings.HasPrefix(server.Path, "/"):
		return "", errors.New("expected an absolute url, or a path that begins with a slash")
	}
	return strings.TrimSuffix(server.EscapedPath(), "/"), nil
}
