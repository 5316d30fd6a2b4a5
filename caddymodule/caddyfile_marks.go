package caddymodule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// marks remembers where the values of a configuration stand in the Caddyfile,
// by the paths that [place] has for them.
type marks map[string]caddyfile.Token

// locate adds file and line to what a [checker] found.
func (m marks) locate(err error) error {
	var found *mistake
	if !errors.As(err, &found) {
		return err
	}
	if first, ok := m[found.other.path]; ok && found.other.path != found.place.path && found.other.path != "" {
		err = fmt.Errorf("%w; the earlier one stands at %s:%d", err, first.File, first.Line)
	}
	for path := found.place.path; ; {
		if t, ok := m[path]; ok {
			return atToken(t, err)
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return atToken(m[""], err)
		}
		path = path[:i]
	}
}

// text makes a reader of the only word into a field.
func (m marks) text(path string, into *string) func(line) error {
	return func(l line) error {
		m[path] = l.words[0]
		*into = l.words[0].Text
		return nil
	}
}

// list makes a reader of all words into a list.
func (m marks) list(path string, into *[]string) func(line) error {
	return func(l line) error {
		m.append(path, into, l.words)
		return nil
	}
}

func (m marks) append(path string, into *[]string, words []caddyfile.Token) {
	for _, word := range words {
		m[fmt.Sprintf("%s[%d]", path, len(*into))] = word
		*into = append(*into, word.Text)
	}
}

// duration makes a reader of the only word into a duration.
func (m marks) duration(within string, into *Duration, judge func(time.Duration) error) func(line) error {
	return func(l line) error {
		value, err := caddy.ParseDuration(l.words[0].Text)
		if err != nil {
			err = fmt.Errorf("%q: expected a duration, such as 10m or 30d", l.words[0].Text)
		} else {
			err = judge(value)
		}
		if err != nil {
			return atToken(l.words[0], fmt.Errorf("%s: %s: %w", within, l.name.Text, err))
		}
		*into = Duration(value)
		return nil
	}
}

// readSwitch makes a reader of `on` or `off`.
func readSwitch(within string, into *bool) func(line) error {
	return func(l line) error {
		switch word := l.words[0].Text; word {
		case "on", "off":
			*into = word == "on"
			return nil
		default:
			return atToken(l.words[0], fmt.Errorf("%s: %s: %q: expected on or off", within, l.name.Text, word))
		}
	}
}

// switchOn makes a reader of a subdirective without words.
func switchOn(into *bool) func(line) error {
	return func(line) error {
		*into = true
		return nil
	}
}
