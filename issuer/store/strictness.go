package store

import "time"

// strictness is what is refused since some uses are unknown. Zero: nothing.
type strictness struct {
	since uint32 // what was made at or before this Unix second
	until uint32 // what does not say when it was made, before this Unix second
}

// strictFrom is the strictness of a start at which what was used before is
// unknown. What was used then cannot be used once the longest life has passed.
func strictFrom(start time.Time, longest time.Duration) strictness {
	since := secondOf(start)
	return strictness{since: since, until: max(since+1, secondAfter(start.Add(longest)))}
}

// refuses tells whether a statement that was made then may have been used
// unnoticed.
func (s strictness) refuses(made, now time.Time) bool {
	switch {
	case s == (strictness{}):
		return false
	case made.IsZero():
		return secondOf(now) < s.until
	}
	return made.Unix() <= int64(s.since)
}

// and refuses what either refuses.
func (s strictness) and(other strictness) strictness {
	return strictness{since: max(s.since, other.since), until: max(s.until, other.until)}
}

// alive is the strictness that a start at that time takes over: none once the
// longest life has passed.
func (s strictness) alive(now time.Time) strictness {
	if secondOf(now) >= s.until {
		return strictness{}
	}
	return s
}
