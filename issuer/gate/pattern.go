package gate

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// pattern is a path pattern of [http.ServeMux], without method and host, as
// the rules' tree wants it.
type pattern struct {
	segments []segment
	end      patternEnd
}

// segment stands for one segment of a path.
type segment struct {
	literal string // decoded; empty where wild
	wild    bool   // any one segment; its name means nothing here
}

// patternEnd is what a pattern says of the path behind its segments.
type patternEnd uint8

const (
	endHere    patternEnd = iota // "/a": nothing more
	endSlash                     // "/a/{$}": a slash and nothing more
	endSubtree                   // "/a/", "/a/{rest...}": a slash and anything
)

// parsePattern reads a pattern. It is stricter than ServeMux where a pattern
// could not match what it seems to: a rule that never applies leaves its paths
// to a weaker one. The error names the segment and not the whole pattern.
func parsePattern(text string) (pattern, error) {
	if !strings.HasPrefix(text, "/") {
		return pattern{}, errors.New(`expected a path that begins with "/", such as "/orders/{id}"; "/" is for every path`)
	}
	var parsed pattern
	words := strings.Split(text[1:], "/")
	for i, word := range words {
		last := i == len(words)-1
		end, err := parsed.add(word, last)
		if err != nil {
			return pattern{}, fmt.Errorf("segment %q: %w", word, suggest(err, text))
		}
		if end != endHere && !last {
			return pattern{}, fmt.Errorf("segment %q: expected nothing behind it", word)
		}
		parsed.end = end
	}
	return parsed, nil
}

// add takes in what one word between slashes stands for, and tells whether the
// pattern ends with it.
func (p *pattern) add(word string, last bool) (patternEnd, error) {
	switch {
	case word == "" && last:
		return endSubtree, nil
	case word == "{$}":
		return endSlash, nil
	case !strings.HasPrefix(word, "{"):
		literal, err := parseLiteral(word)
		p.segments = append(p.segments, segment{literal: literal})
		return endHere, err
	}
	name, closed := strings.CutSuffix(word[1:], "}")
	if !closed {
		return endHere, errWholeSegment
	}
	name, rest := strings.CutSuffix(name, "...")
	if rest {
		return endSubtree, checkName(name)
	}
	p.segments = append(p.segments, segment{wild: true})
	return endHere, checkName(name)
}

var (
	errStar         = errors.New(`"*" is no wildcard in a pattern`)
	errWholeSegment = errors.New(`a wildcard stands for a whole segment: expected "{name}"`)
)

// parseLiteral decodes a segment as ServeMux does and refuses those that no
// request can match, since [CheckPath] refuses the request.
func parseLiteral(word string) (string, error) {
	if strings.Trim(word, "*") == "" && word != "" {
		return "", errStar
	}
	if strings.ContainsAny(word, "{}") {
		return "", errWholeSegment
	}
	if i := strings.IndexAny(word, "*?# "); i >= 0 {
		return "", fmt.Errorf("a pattern has no %q: write %%%02X for the character itself", word[i], word[i])
	}
	literal, err := url.PathUnescape(word)
	if err != nil {
		return "", errors.New("invalid percent-encoding: write %25 for a percent sign")
	}
	if literal == "" {
		return "", fmt.Errorf("no request can match it: %w", PathRepeatedSlashes)
	}
	if err := CheckPath("/"+url.PathEscape(literal), "/"+literal); err != nil {
		return "", fmt.Errorf("no request can match it: %w", err)
	}
	return literal, nil
}

// checkName judges a wildcard's name. Dots and dashes are fine: the Caddyfile
// adapter makes "{http.request.uri.path}" of "{path}", and names may repeat.
// Refused is what was meant to be something else: "{id:[0-9]+}" would match
// more than its author thinks, and so would a variable that nobody resolved.
func checkName(name string) error {
	if name == "" || strings.HasPrefix(name, "env.") || strings.HasSuffix(name, ".") || strings.ContainsFunc(name, notInName) {
		return errors.New(`expected "{name}", "{name...}" or "{$}" with a name of letters and digits`)
	}
	return nil
}

func notInName(c rune) bool {
	return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("_-.", c)
}

// suggest adds to the error about a star what the author will have meant.
func suggest(err error, text string) error {
	if !errors.Is(err, errStar) {
		return err
	}
	words := strings.Split(text, "/")
	for i, word := range words {
		switch {
		case word == "" || strings.Trim(word, "*") != "":
		case i == len(words)-1:
			words[i] = ""
		default:
			words[i] = "{name}"
		}
	}
	kind := "one segment"
	if words[len(words)-1] == "" {
		kind = "the subtree"
	}
	return fmt.Errorf("%w: expected %q for %s", err, strings.Join(words, "/"), kind)
}

// muxText spells the pattern for ServeMux. Patterns that match the same paths
// have the same spelling.
func (p pattern) muxText() string {
	var text strings.Builder
	for i, s := range p.segments {
		text.WriteByte('/')
		if s.wild {
			text.WriteString("{w" + strconv.Itoa(i) + "}")
		} else {
			text.WriteString(url.PathEscape(s.literal))
		}
	}
	switch p.end {
	case endSlash:
		text.WriteString("/{$}")
	case endSubtree:
		text.WriteByte('/')
	}
	return text.String()
}

// base is the path of a subtree without the slash: "/admin" of "/admin/". The
// whole site has none.
func (p pattern) base() (base pattern, ok bool) {
	return pattern{segments: p.segments}, p.end == endSubtree && len(p.segments) > 0
}

// commonPath is a path that both patterns match. There must be one.
func commonPath(a, b pattern) string {
	var path strings.Builder
	for i := range max(len(a.segments), len(b.segments)) {
		literal := "x"
		for _, p := range []pattern{a, b} {
			if i < len(p.segments) && !p.segments[i].wild {
				literal = p.segments[i].literal
			}
		}
		path.WriteString("/" + literal)
	}
	if a.end != endHere && b.end != endHere {
		path.WriteByte('/')
	}
	return path.String()
}
