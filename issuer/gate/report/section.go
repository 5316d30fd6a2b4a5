package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// section is a list of lines that belong in one place.
type section struct {
	lines []*line
	known map[lineKey]*line
}

// lineKey is what two lines that are one have in common.
type lineKey struct {
	text string // empty: there is a comment alone
	off  bool   // commented out
	why  string
}

// line is one suggestion, and those who need it.
type line struct {
	lineKey
	count uint64
	last  time.Time
	who   []string // the first few, each once
	seen  map[string]bool
}

// maxNamed is how many callers a comment names.
const maxNamed = 3

// add adds a line, or the row to the same line.
func (s *section) add(text string, off bool, row *Row, why string) {
	key := lineKey{text, off, why}
	found := s.known[key]
	if found == nil {
		if s.known == nil {
			s.known = make(map[lineKey]*line)
		}
		found = &line{lineKey: key, seen: make(map[string]bool)}
		s.known[key] = found
		s.lines = append(s.lines, found)
	}
	found.add(row)
}

func (l *line) add(row *Row) {
	l.count += row.Count()
	if row.LastSeen.After(l.last) {
		l.last = row.LastSeen
	}
	who := strings.TrimSpace(row.Caller() + " " + row.Method + " " + row.Rule + row.Path)
	if !l.seen[who] && len(l.who) < maxNamed {
		l.who = append(l.who, who)
	}
	l.seen[who] = true
}

// print prints the lines below a heading, if there are any.
func (s *section) print(to *strings.Builder, heading string) {
	if len(s.lines) == 0 {
		return
	}
	if to.Len() > 0 {
		to.WriteByte('\n')
	}
	to.WriteString(comment(heading))
	for _, line := range s.lines {
		line.print(to)
	}
}

func (l *line) print(to *strings.Builder) {
	times := "times"
	if l.count == 1 {
		times = "time"
	}
	about := fmt.Sprintf("%d %s, last %s: %s", l.count, times, l.last.UTC().Format(time.RFC3339), strings.Join(l.who, "; "))
	if more := len(l.seen) - len(l.who); more > 0 {
		about += fmt.Sprintf("; and %d more", more)
	}
	if l.why != "" {
		about += " (" + l.why + ")"
	}
	to.WriteString(comment(about))
	switch {
	case l.text == "":
	case l.off:
		to.WriteString(comment(l.text))
	default:
		to.WriteString(l.text + "\n")
	}
}

// comment is a comment line of a Caddyfile. There too {$NAME} is replaced, and
// without a brace behind it all up to the next one, whichever line that is in.
func comment(text string) string {
	var safe strings.Builder
	for {
		before, after, found := strings.Cut(text, "{$")
		safe.WriteString(before)
		switch {
		case !found:
			return "# " + safe.String() + "\n"
		case strings.HasPrefix(after, "}"): // a pattern's {$} is no variable
			safe.WriteString("{$")
		default:
			safe.WriteString("{ $")
		}
		text = after
	}
}

// Caller names the caller for people, without control characters.
func (r *Row) Caller() string {
	switch {
	case r.Other:
		return "(other)"
	case r.Verified && r.Issuer != "":
		return r.ClientID + " of " + r.Issuer
	case r.Verified:
		return r.ClientID
	}
	caller := r.Address
	if caller == "" {
		caller = "(no address)"
	}
	if r.UserAgent != "" {
		caller += ` "` + r.UserAgent + `"`
	}
	if r.ClientID != "" {
		caller += ` claiming to be "` + r.ClientID + `"`
	}
	return caller
}

// word writes a value as one word of a Caddyfile; ok is false where it cannot
// be one, and must be commented out.
func word(value string) (text string, ok bool) {
	plain := value != ""
	for i := range len(value) {
		c := value[i]
		if c < ' ' || c > '~' || c == '{' || c == '}' {
			return value, false // braces are placeholders, between quotes too
		}
		plain = plain && (literal(c) || c == '/')
	}
	switch {
	case plain:
		return value, true
	case !strings.ContainsAny(value, `"\`):
		return `"` + value + `"`, true
	case !strings.Contains(value, "`"):
		return "`" + value + "`", true
	}
	return value, false
}

// words writes scopes as words of a Caddyfile; ok as of [word].
func words(scopes token.Scopes) (text string, ok bool) {
	quoted, ok := make([]string, len(scopes)), true
	for i, scope := range scopes {
		var fits bool
		if quoted[i], fits = word(scope); !fits {
			ok = false
		}
	}
	return strings.Join(quoted, " "), ok
}
