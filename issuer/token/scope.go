package token

import (
	"fmt"
	"slices"
	"strings"
)

// Scopes is an ordered set of scope values, each once (RFC 6749 section 3.3).
// The order is that of the request or of the configuration.
type Scopes []string

// ParseScope reads the value of a `scope` parameter: scope-tokens separated by
// single spaces. The empty string is the empty set. Repeated values collapse.
// Values are compared case-sensitively.
//
// It returns an error where the text is not of the grammar in RFC 6749
// section 3.3; the error names the position and not the text.
func ParseScope(text string) (Scopes, error) {
	if text == "" {
		return nil, nil
	}
	var set Scopes
	for i, value := range strings.Split(text, " ") {
		if !ValidScope(value) {
			return nil, fmt.Errorf("scope value %d is empty or holds a character that RFC 6749 section 3.3 does not allow", i+1)
		}
		if !slices.Contains(set, value) {
			set = append(set, value)
		}
	}
	return set, nil
}

// ValidScope tells whether value is one scope-token:
// 1*( %x21 / %x23-5B / %x5D-7E ), RFC 6749 section 3.3.
func ValidScope(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < 0x21 || c > 0x7E || c == '"' || c == '\\' {
			return false
		}
	}
	return value != ""
}

// Has tells whether the set holds value.
func (s Scopes) Has(value string) bool { return slices.Contains(s, value) }

// HasAll tells whether the set holds every value of needed.
func (s Scopes) HasAll(needed Scopes) bool {
	for _, value := range needed {
		if !s.Has(value) {
			return false
		}
	}
	return true
}

// Pick returns the values of asked, in their order, as this set has them: the texts
// are this set's own, and keep nothing alive that those asked for are a part of. ok
// is false where the set lacks one.
func (s Scopes) Pick(asked Scopes) (picked Scopes, ok bool) {
	for _, value := range asked {
		at := slices.Index(s, value)
		if at < 0 {
			return nil, false
		}
		picked = append(picked, s[at])
	}
	return picked, true
}

// Union returns the set with the values of more that it lacks, in their order.
// Neither set is changed.
func (s Scopes) Union(more Scopes) Scopes {
	lacking := 0
	for _, value := range more {
		if !s.Has(value) {
			lacking++
		}
	}
	if lacking == 0 {
		return slices.Clone(s)
	}
	all := append(make(Scopes, 0, len(s)+lacking), s...) // some are kept for long
	for _, value := range more {
		if !all.Has(value) {
			all = append(all, value)
		}
	}
	return all
}

// Keep returns the values that allowed holds too, in the order of s.
func (s Scopes) Keep(allowed Scopes) Scopes {
	var kept Scopes
	for _, value := range s {
		if allowed.Has(value) {
			kept = append(kept, value)
		}
	}
	return kept
}

// String is the value as it goes on the wire: space-separated.
func (s Scopes) String() string { return strings.Join(s, " ") }
