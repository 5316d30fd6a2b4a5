package store

import "time"

// Strictness is what a place of marks refuses since it does not know some uses, in
// Unix seconds. The zero value refuses nothing.
type Strictness struct {
	Since uint32 // what was made at or before this second
	Until uint32 // what does not say when it was made, before this second; after Since
}

// StrictFrom is the strictness of a start at which what was used before is
// unknown. What was used then cannot be used once the longest life has passed.
func StrictFrom(start time.Time, longest time.Duration) Strictness {
	since := secondOf(start)
	return Strictness{Since: since, Until: max(since+1, secondAfter(start.Add(longest)))}
}

// Refuses tells whether a statement that was made then may have been used
// unnoticed. made is zero where it does not say.
func (s Strictness) Refuses(made, now time.Time) bool {
	switch {
	case s == (Strictness{}):
		return false
	case made.IsZero():
		return secondOf(now) < s.Until
	}
	return made.Unix() <= int64(s.Since)
}

// Times are Since and Until; both are zero where nothing is refused.
func (s Strictness) Times() (since, until time.Time) {
	if s == (Strictness{}) {
		return time.Time{}, time.Time{}
	}
	return time.Unix(int64(s.Since), 0), time.Unix(int64(s.Until), 0)
}

// and refuses what either refuses.
func (s Strictness) and(other Strictness) Strictness {
	return Strictness{Since: max(s.Since, other.Since), Until: max(s.Until, other.Until)}
}

// alive is the strictness that a start at that time takes over: none once the
// longest life has passed.
func (s Strictness) alive(now time.Time) Strictness {
	if secondOf(now) >= s.Until {
		return Strictness{}
	}
	return s
}
