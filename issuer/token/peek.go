package token

import "strconv"

// Seen is what anybody can read in a token: nobody vouches for a word of it. It
// is for people who ask why a token is refused, and decides nothing.
type Seen struct{ header, claims object }

// Peek reads a token without judging it. What is no token, or cannot be read as
// a whole, is empty.
func Peek(raw string) Seen {
	m, err := readMessage(raw)
	if err != nil {
		return Seen{}
	}
	claims, err := m.members()
	if err != nil {
		return Seen{header: m.header}
	}
	return Seen{header: m.header, claims: claims}
}

// maxSeen bounds what is shown of one member, in bytes.
const maxSeen = 200

// Header is a member of the header as text; empty where there is none.
func (s Seen) Header(name string) string { return seen(s.header, name) }

// Claim is a claim as text, lists with spaces; empty where there is none.
func (s Seen) Claim(name string) string { return seen(s.claims, name) }

// Date is a claim that is a NumericDate; 0 where there is none.
func (s Seen) Date(name string) int64 {
	seconds, _ := s.claims.find(name).date()
	return seconds
}

// seen spells a member so that it can be printed on a terminal: a stranger may
// have written it.
func seen(members object, name string) string {
	found := members.find(name)
	if found == nil {
		return ""
	}
	text := textOf(found.any())
	if len(text) > maxSeen {
		text = text[:maxSeen] + "..."
	}
	quoted := strconv.QuoteToASCII(text)
	if quoted == `"`+text+`"` {
		return text
	}
	return quoted
}
