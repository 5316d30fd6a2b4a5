package caddymodule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// place is where a value stands in the configuration.
type place struct {
	path  string // in the words of the JSON, unique: `clients[0].roles[1]`
	label string // for people: `client "nightly": roles`
}

// sub is the place of a member: name as the JSON spells it, word as an
// operator knows it.
func (p place) sub(name, word string) place {
	return place{path: strings.TrimPrefix(p.path+"."+name, "."), label: strings.TrimPrefix(p.label+": "+word, ": ")}
}

// item is the place of an element of a list.
func (p place) item(i int) place {
	p.path = fmt.Sprintf("%s[%d]", p.path, i)
	return p
}

func (p place) errorf(format string, args ...any) error {
	return &mistake{place: p, problem: fmt.Errorf(format, args...)}
}

// mistake is what is wrong with one value. The same judgement is passed on a
// Caddyfile, whose reader finds file and line by the place, and on JSON, where
// the label has to do.
type mistake struct {
	place   place
	other   place // of two values that do not go together, the earlier one
	problem error
}

func (m *mistake) Error() string {
	if m.place.label == "" {
		return m.problem.Error()
	}
	return m.place.label + ": " + m.problem.Error()
}

func (m *mistake) Unwrap() error { return m.problem }

// checker judges a configuration.
type checker struct {
	// Placeholders stand unreplaced, since nothing is loaded yet. Values that
	// hold one are left to the judgement at load time.
	adapting bool
}

// literals replaces no placeholder; it removes escapes and finds out whether
// there are placeholders at all, without a look at environment or files.
var literals = caddy.NewEmptyReplacer()

// read returns the value of text; ok is false where it is not known yet.
func (c checker) read(text string) (value string, ok bool) {
	if !c.adapting {
		return text, true
	}
	value, err := literals.ReplaceOrErr(text, true, true)
	return value, err == nil
}

// text judges one value.
func (c checker) text(p place, text string, judge func(string) error) error {
	value, ok := c.read(text)
	if !ok {
		return nil
	}
	if err := judge(value); err != nil {
		return p.errorf("%w", err)
	}
	return nil
}

// list judges each value of a list, and that it stands there once.
func (c checker) list(p place, values []string, judge func(string) error) error {
	for i, text := range values {
		if slices.Contains(values[:i], text) {
			return p.item(i).errorf("%q stands twice: expected each value once", text)
		}
		if err := c.text(p.item(i), text, judge); err != nil {
			return err
		}
	}
	return nil
}

// among makes a judge that accepts what is declared. It accepts everything
// while one of the declared values is not known yet.
func (c checker) among(kind string, declared []string) func(string) error {
	var known []string
	for _, text := range declared {
		value, ok := c.read(text)
		if !ok {
			return func(string) error { return nil }
		}
		known = append(known, value)
	}
	return func(value string) error {
		switch {
		case slices.Contains(known, value):
			return nil
		case len(known) == 0:
			return fmt.Errorf("unknown %s %q: none is declared in the global option oauth2", kind, value)
		}
		return fmt.Errorf("unknown %s %q: expected one of %s", kind, value, strings.Join(known, ", "))
	}
}

// oneOf makes a judge that accepts two words or more.
func oneOf(words ...string) func(string) error {
	last := len(words) - 1
	return func(value string) error {
		if !slices.Contains(words, value) {
			return fmt.Errorf("%q: expected %s or %s", value, strings.Join(words[:last], ", "), words[last])
		}
		return nil
	}
}

// both makes a judge of two.
func both(first, second func(string) error) func(string) error {
	return func(value string) error {
		if err := first(value); err != nil {
			return err
		}
		return second(value)
	}
}

func judgeScope(value string) error {
	if !token.ValidScope(value) {
		return fmt.Errorf("scope %q: expected printable ASCII characters without space, quote and backslash (RFC 6749 section 3.3)", value)
	}
	return nil
}

// judgeText accepts what can be shown to people in lists and logs.
func judgeText(value string) error {
	if value == "" {
		return errors.New("empty value: expected text")
	}
	if !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) {
		return fmt.Errorf("%q: expected UTF-8 text without control characters", value)
	}
	return nil
}

// longest is [keys.MaxDuration], as one writes it.
const longest = "7300d"

// judgeLifetime accepts what `exp` and `expires_in` can express: they count
// whole seconds (RFC 7519 section 2, RFC 6749 section 5.1).
func judgeLifetime(lifetime time.Duration) error {
	if lifetime < time.Second || lifetime > keys.MaxDuration || lifetime%time.Second != 0 {
		return fmt.Errorf("%s: expected whole seconds, from 1s to %s", lifetime, longest)
	}
	return nil
}

// judgePeriod accepts the times of key rotation.
func judgePeriod(period time.Duration) error {
	if period < time.Second || period > keys.MaxDuration {
		return fmt.Errorf("%s: expected a duration from 1s to %s", period, longest)
	}
	return nil
}

// duration judges a duration of which zero means that it was left out.
func (p place) duration(value Duration, judge func(time.Duration) error) error {
	if value == 0 {
		return nil
	}
	if err := judge(value.written()); err != nil {
		return p.errorf("%w", err)
	}
	return nil
}
