package openapi

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
)

// pattern spells a path template for the gate. Partial tells that a segment has
// a parameter for a part of it: the gate knows none but whole segments, and the
// pattern is for more paths than the template.
//
// A template is for one path, so that one that ends with a slash is no subtree
// here.
func pattern(base, template string) (text string, partial bool, err error) {
	words := strings.Split(template[1:], "/")
	for i, word := range words {
		if word == "" && i == len(words)-1 {
			words[i] = "{$}"
			continue
		}
		if !strings.ContainsAny(word, "{}") {
			continue // the gate judges it
		}
		name, part, err := parameter(word)
		if err != nil {
			return "", false, fmt.Errorf("segment %q: %w", word, err)
		}
		words[i] = "{" + name + "}"
		partial = partial || part
	}
	return base + "/" + strings.Join(words, "/"), partial, nil
}

// parameter returns a name for a segment with parameters, and whether it is
// more than one parameter alone.
func parameter(word string) (name string, part bool, err error) {
	for rest := word; ; {
		var literal, inner string
		var found bool
		literal, rest, found = strings.Cut(rest, "{")
		switch {
		case strings.Contains(literal, "}"):
			return "", false, errors.New(`a "}" without "{"`)
		case strings.ContainsAny(literal, "?#*"): // of whole segments the gate says so
			return "", false, errors.New("a path has neither query nor fragment nor star")
		case !found:
			return name, part || literal != "", nil
		}
		part = part || literal != "" || name != ""
		if inner, rest, found = strings.Cut(rest, "}"); !found || strings.Contains(inner, "{") {
			return "", false, errors.New(`a "{" without "}"`)
		}
		if name, err = wildcard(inner); err != nil {
			return "", false, err
		}
	}
}

// wildcard makes of a parameter's name one that the gate takes; there it means
// nothing. What looks like a condition is an error: "{id:[0-9]+}" would be for
// more than its author thinks.
func wildcard(name string) (string, error) {
	if name == "" || strings.ContainsAny(name, `:=<>|()[]^\`) {
		return "", fmt.Errorf("parameter %q: expected a name", name)
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return c
		}
		return '_'
	}, name), nil
}

// key is the same for patterns for the same paths.
func key(pattern string) string {
	words := strings.Split(pattern, "/")
	for i, word := range words {
		if strings.HasPrefix(word, "{") && word != "{$}" {
			words[i] = "{}"
		} else if literal, err := url.PathUnescape(word); err == nil {
			words[i] = literal
		}
	}
	return strings.Join(words, "/")
}
