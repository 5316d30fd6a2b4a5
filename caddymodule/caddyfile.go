package caddymodule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

func init() {
	httpcaddyfile.RegisterGlobalOption(optionName, parseOption)
	httpcaddyfile.RegisterDirective("oauth2_issuer", parseIssuer)
	httpcaddyfile.RegisterDirective("oauth2_gate", parseGate)
	// After basic_auth and forward_auth, so that a site-wide gate comes behind
	// the issuer and does not lock the token endpoint; both come before handle,
	// route and reverse_proxy, so that nothing answers past them.
	httpcaddyfile.RegisterDirectiveOrder("oauth2_issuer", httpcaddyfile.After, "basic_auth")
	httpcaddyfile.RegisterDirectiveOrder("oauth2_gate", httpcaddyfile.After, "forward_auth")
}

// line is a line of a Caddyfile: the subdirective, its words, and the lines of
// the block behind it.
type line struct {
	name     caddyfile.Token
	words    []caddyfile.Token
	hasBlock bool
	block    []line
}

// readLine reads the line at whose first word d stands, with its block.
func readLine(d *caddyfile.Dispenser) line {
	l := line{name: d.Token(), words: d.RemainingArgsAsTokens()}
	before := d.Token()
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		l.block = append(l.block, readLine(d))
	}
	// Of an empty block NextBlock only leaves behind that it was read.
	l.hasBlock = len(l.block) > 0 || d.Val() == "}" && !d.Token().Quoted() && d.Line() != before.Line
	return l
}

// last is the last word before the block.
func (l line) last() caddyfile.Token {
	if len(l.words) == 0 {
		return l.name
	}
	return l.words[len(l.words)-1]
}

// atToken adds file, line and import chain of the token.
func atToken(t caddyfile.Token, err error) error {
	d := caddyfile.NewDispenser([]caddyfile.Token{t})
	d.Next()
	return d.WrapErr(err)
}

// count is how many words a subdirective takes; max below zero: any number.
type count struct{ min, max int }

func exactly(n int) count { return count{n, n} }
func atLeast(n int) count { return count{n, -1} }

// subdirective is what may stand on a line of a block.
type subdirective struct {
	grammar string             // for people; the first word is the name
	words   count              // behind the name
	repeats bool               // may stand more than once
	block   bool               // may have a block
	secret  bool               // its words are in no message
	json    bool               // a word may be a JSON object, whose braces are its own
	pattern bool               // the second word is a path pattern, whose braces are wildcards
	read    func(l line) error // called once all of the above holds
}

func (s subdirective) name() string {
	name, _, _ := strings.Cut(s.grammar, " ")
	return name
}

// readBlock reads lines, each of which is one of the subdirectives. within
// names the block in messages.
func readBlock(within string, lines []line, known []subdirective) error {
	seen := make(map[string]bool)
	for _, l := range lines {
		name := l.name.Text
		i := slices.IndexFunc(known, func(s subdirective) bool { return s.name() == name })
		if i < 0 {
			return atToken(l.name, fmt.Errorf("%s: unknown subdirective %q: expected one of %s", within, name, names(known)))
		}
		if seen[name] && !known[i].repeats {
			return atToken(l.name, fmt.Errorf("%s: %s stands twice: expected it once", within, name))
		}
		seen[name] = true
		if err := known[i].checkLine(within+": ", l); err != nil {
			return err
		}
		if err := known[i].read(l); err != nil {
			return err
		}
	}
	return nil
}

func names(known []subdirective) string {
	list := make([]string, len(known))
	for i, s := range known {
		list[i] = s.name()
	}
	return strings.Join(list, ", ")
}

// checkLine judges the shape of the line: words too few, too many, empty or
// with a placeholder that never has a value, and a block. Errors begin with within.
func (s subdirective) checkLine(within string, l line) error {
	fault := func(at caddyfile.Token, problem string) error {
		return atToken(at, fmt.Errorf("%s%s: %s: expected `%s`", within, s.name(), problem, s.grammar))
	}
	if len(l.words) < s.words.min {
		return fault(l.last(), "missing word")
	}
	if s.words.max >= 0 && len(l.words) > s.words.max {
		surplus := l.words[s.words.max]
		if s.secret {
			return fault(surplus, "surplus word (is the secret in quotes?)")
		}
		return fault(surplus, fmt.Sprintf("surplus word %q", surplus.Text))
	}
	if l.hasBlock && !s.block {
		return fault(l.last(), "no block belongs here")
	}
	for i, word := range l.words {
		if word.Text == "" {
			return fault(word, "empty value")
		}
		if s.json && inlineJSON(word.Text) {
			continue
		}
		if s.pattern && i == 1 {
			// Other braces are wildcards. This one was hardly meant as one, and
			// would match more than the file says.
			if _, file, shorthand := strings.Cut(word.Text, "{"+fileShorthand); shorthand {
				return fault(word, shorthandProblem(strings.SplitN(file, "}", 2)[0]))
			}
			continue
		}
		if err := s.checkPlaceholders(word.Text); err != nil {
			return fault(word, err.Error())
		}
	}
	return nil
}

// globalPlaceholders are the beginnings of those that Caddy knows when a
// configuration is loaded.
var globalPlaceholders = []string{"env.", "file.", "system.", "time."}

// global tells whether a placeholder has its value, or never, when a
// configuration is loaded.
func global(name string) bool {
	return slices.ContainsFunc(globalPlaceholders, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// fileShorthand is what the adapter makes of {file. before we see it.
const fileShorthand = "http.request.uri.path.file."

// checkPlaceholders refuses what is no placeholder, or one of requests: there
// is none when the configuration is loaded.
func (s subdirective) checkPlaceholders(text string) error {
	_, err := literals.ReplaceFunc(text, func(name string, _ any) (any, error) {
		file, shorthand := strings.CutPrefix(name, fileShorthand)
		switch {
		case global(name):
			return "", nil
		case shorthand:
			return nil, errors.New(shorthandProblem(file))
		case s.secret: // what stands in the braces may be a part of it
			return nil, errors.New(`a placeholder that is not {env.NAME} or {file./path} (is a brace meant? write \{)`)
		}
		return nil, fmt.Errorf("placeholder {%s} has no value when the configuration is loaded; write text, {env.NAME} or {file./path}", name)
	})
	return err
}

func shorthandProblem(file string) string {
	return fmt.Sprintf("{file.%s} is Caddy's shorthand for a part of the request: "+
		"write a path, {file./path/to/%s} or {file./%s}", file, file, file)
}
