package client

import (
	"bytes"
	"slices"
	"time"
	"unicode/utf8"
)

// sharedTexts has texts once that many records have: names of scopes, roles, resources.
type sharedTexts map[string]string

func (s sharedTexts) of(text []byte) string {
	if known, found := s[string(text)]; found {
		return known
	}
	fresh := string(text)
	s[fresh] = fresh
	return fresh
}

// readRecord reads a record that stands there just as this program writes nearly all:
// without white space, escapes and parts of seconds. That takes a third of the time that
// store.DecodeExactly does. It reads nothing that would be refused there, and nothing
// otherwise: tests compare. Where it returns false, the record may be good all the same.
func readRecord(id string, data []byte, texts sharedTexts) (*Record, bool) {
	r := recordReader{rest: data, texts: texts}
	r.must(`{"client_id":`)
	r.refuse(string(r.quoted()) != id)
	read := &Record{
		ID: id, Name: r.text(`,"name":`), Subject: r.text(`,"subject":`),
		Scopes: r.list(`,"scopes":[`), Roles: r.list(`,"roles":[`), Resources: r.list(`,"resources":[`),
		TokenLifetime: r.lifetime(), Claims: r.claims(),
		Require: r.text(`,"require":`), Introspect: r.text(`,"introspect":`),
		AllowBridge: r.has(`,"allow_bridge":true`), Disabled: r.has(`,"disabled":true`),
		Secrets:    r.secrets(),
		LastSecret: r.number(`,"last_secret":`), Epoch: r.number(`,"epoch":`), Revision: r.number(`,"revision":`),
		Made: r.time(`,"made":`), Changed: r.time(`,"changed":`),
		Removed: r.has(`,"removed":true`),
	}
	r.must(`}`)
	return read, !r.failed && len(r.rest) == 0
}

// recordReader reads what is expected at the beginning of the rest. After a failure,
// what it returns means nothing.
type recordReader struct {
	rest   []byte
	texts  sharedTexts
	failed bool
}

func (r *recordReader) refuse(wrong bool) { r.failed = r.failed || wrong }

func (r *recordReader) has(expected string) bool {
	if len(r.rest) < len(expected) || string(r.rest[:len(expected)]) != expected {
		return false
	}
	r.rest = r.rest[len(expected):]
	return true
}

func (r *recordReader) must(expected string) { r.refuse(!r.has(expected)) }

// quoted is a text in which no byte stands for another.
func (r *recordReader) quoted() []byte {
	r.must(`"`)
	end := 0
	for end < len(r.rest) && r.rest[end] >= ' ' && r.rest[end] != '"' && r.rest[end] != '\\' {
		end++
	}
	text := r.rest[:end]
	r.rest = r.rest[end:]
	r.must(`"`)
	r.refuse(!utf8.Valid(text))
	return text
}

// text is that of a member which is left out where it is empty.
func (r *recordReader) text(name string) string {
	if !r.has(name) {
		return ""
	}
	text := r.quoted()
	r.refuse(len(text) == 0)
	return string(text)
}

// list is what is left out where it is empty.
func (r *recordReader) list(name string) []string {
	if !r.has(name) {
		return nil
	}
	var few [8]string
	list := append(few[:0], r.texts.of(r.quoted()))
	for r.has(`,`) {
		list = append(list, r.texts.of(r.quoted()))
	}
	r.must(`]`)
	return slices.Clone(list)
}

// claims are sorted by name, each once.
func (r *recordReader) claims() map[string]string {
	if !r.has(`,"claims":{`) {
		return nil
	}
	claims, last := make(map[string]string), ""
	for {
		name := r.texts.of(r.quoted())
		r.must(`:`)
		r.refuse(len(claims) > 0 && name <= last)
		claims[name], last = string(r.quoted()), name
		if !r.has(`,`) {
			break
		}
	}
	r.must(`}`)
	return claims
}

func (r *recordReader) secrets() []StoredSecret {
	if !r.has(`,"secrets":[`) {
		return nil
	}
	var few [4]StoredSecret
	list := append(few[:0], r.secret())
	for r.has(`,`) {
		list = append(list, r.secret())
	}
	r.must(`]`)
	return slices.Clone(list)
}

func (r *recordReader) secret() (read StoredSecret) {
	r.must(`{"id":`)
	read.ID = string(r.quoted())
	r.must(`,"hash":`)
	read.Hash = string(r.quoted())
	read.Made = r.time(`,"made":`)
	if r.has(`,"expires":`) {
		expires := r.time(``)
		read.Expires = &expires
	}
	r.must(`}`)
	return read
}

func (r *recordReader) lifetime() int64 {
	const name = `,"token_lifetime":`
	if !bytes.HasPrefix(r.rest, []byte(name)) {
		return 0
	}
	seconds := r.number(name)
	r.refuse(seconds == 0)
	return int64(seconds) //nolint:gosec // of 18 digits
}

// number reads digits without a needless zero, at most 18.
func (r *recordReader) number(name string) (value uint64) {
	r.must(name)
	digits := 0
	for digits < len(r.rest) && r.rest[digits] >= '0' && r.rest[digits] <= '9' {
		value = value*10 + uint64(r.rest[digits]-'0')
		digits++
	}
	r.refuse(digits == 0 || digits > 18 || digits > 1 && r.rest[0] == '0')
	r.rest = r.rest[digits:]
	return value
}

// time reads a second of UTC.
func (r *recordReader) time(name string) (read time.Time) {
	r.must(name)
	text := r.quoted()
	if len(text) != len("2006-01-02T15:04:05Z") || text[13] != ':' || text[19] != 'Z' { // what else it could be is written otherwise
		r.failed = true
		return time.Time{}
	}
	r.refuse(read.UnmarshalText(text) != nil)
	return read
}
