package client

import "time"

// idleBeforeRemoval is how long a secret must not have been used before it is
// called safe to remove: a client that runs once a week has had its turn.
const idleBeforeRemoval = 7 * 24 * time.Hour

// SecretState is what there is to know of a secret of a client.
type SecretState struct {
	ID      string
	Made    time.Time // zero: not known
	Expires time.Time // the first moment at which it is refused; zero: never
	Used    Used      // zero: nothing is known, not even that it was not used

	// ByPosition: its ID is its position in the configuration. After a change
	// there, what was noted may be another secret's.
	ByPosition bool
}

// Verdict says what an operator may make of a secret. It prints as words for one.
type Verdict struct {
	Use   Use
	Since time.Time // for [Unused] and [NeverUsed]: the last use, or from when on it is known not to have been used
	Safe  bool      // no client is known to need it: it may be removed
}

// Use tells whether a secret is in use.
type Use string

// What is known of the use of a secret.
const (
	InUse     Use = "in use"                                     // in the last days
	Unused    Use = "unused"                                     // not since
	NeverUsed Use = "never used"                                 // not since it was made
	Expired   Use = "expired"                                    // refused, used or not
	Unclear   Use = "not known yet"                              // nothing was noted
	Unnamed   Use = "known by its position alone: give it an id" // [SecretState.ByPosition]
)

// String says it in words.
func (v Verdict) String() string {
	text := string(v.Use)
	if v.Use == Unused {
		text += " since " + v.Since.UTC().Format(time.RFC3339)
	}
	if v.Safe && v.Use != Expired {
		text += ", safe to remove"
	}
	return text
}

// Removable says of each secret of one client, by ID, whether it may be removed. It
// may where it has expired, and where it was not used for a week while another one
// that is still good was used since: then who used it has the other one. So the
// secret that was used last is never among them. Where a clock was set back or
// something is not known, the answer is no.
func Removable(secrets []SecretState, now time.Time) map[string]Verdict {
	verdicts := make(map[string]Verdict, len(secrets))
	for i := range secrets {
		verdict := secrets[i].judge(now)
		if verdict.Use == Unused || verdict.Use == NeverUsed {
			verdict.Safe = now.Sub(verdict.Since) >= idleBeforeRemoval && replaced(secrets, i, verdict.Since, now)
		}
		verdicts[secrets[i].ID] = verdict
	}
	return verdicts
}

// judge looks at the secret alone. Since is from when on it is known not to have
// been used.
func (s *SecretState) judge(now time.Time) Verdict {
	used := &s.Used
	switch {
	case !s.live(now):
		return Verdict{Use: Expired, Safe: true}
	case s.ByPosition:
		return Verdict{Use: Unnamed}
	case !used.Last.IsZero() && now.Sub(used.Last) < idleBeforeRemoval: // also in the future
		return Verdict{Use: InUse}
	case !used.Last.IsZero():
		return Verdict{Use: Unused, Since: later(used.Last, s.Made)}
	case used.Since.IsZero():
		return Verdict{Use: Unclear}
	case s.Made.IsZero() || used.Since.Sub(s.Made) > trackingDelay:
		return Verdict{Use: Unused, Since: used.Since}
	}
	return Verdict{Use: NeverUsed, Since: later(s.Made, used.Since)}
}

// trackingDelay is how long after a secret was made it may be first expected, with
// nobody able to use it before.
const trackingDelay = time.Minute

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (s *SecretState) live(now time.Time) bool { return s.Expires.IsZero() || now.Before(s.Expires) }

// replaced tells whether another secret that is good was used after the time. A use
// in the future is no evidence, and neither is one that may be another secret's.
func replaced(secrets []SecretState, self int, since, now time.Time) bool {
	for i := range secrets {
		other := &secrets[i]
		if i != self && other.live(now) && !other.ByPosition && other.Used.Last.After(since) && !other.Used.Last.After(now) {
			return true
		}
	}
	return false
}
