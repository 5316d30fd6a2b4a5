package client

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// ago is a moment before the tests' present one; days may be below 0.
func ago(days float64) time.Time { return start.Add(-time.Duration(days * float64(24*time.Hour))) }

// usedAgo is a secret that was last used then, and made and tracked long before.
func usedAgo(id string, days float64) SecretState {
	return SecretState{ID: id, Made: ago(400), Used: Used{Last: ago(days), Count: 1, Since: ago(400)}}
}

// neverUsed is one that was made then, and tracked at once.
func neverUsed(id string, days float64) SecretState {
	return SecretState{ID: id, Made: ago(days), Used: Used{Since: ago(days)}}
}

func with(s SecretState, change func(*SecretState)) SecretState {
	change(&s)
	return s
}

func byPosition(s *SecretState) { s.ByPosition = true }
func expired(s *SecretState)    { s.Expires = start }
func notMade(s *SecretState)    { s.Made = time.Time{} }
func notNoted(s *SecretState)   { s.Used = Used{} }

// An operator who believes these words must not lock out a client: what is not
// certain is not safe.
func TestRemovable(t *testing.T) {
	t.Parallel()
	const weekOld, safe = "unused since 2025-12-26T12:00:00Z", ", safe to remove"
	inUse := usedAgo("new", 0)
	for _, test := range []struct {
		name  string
		old   SecretState
		other []SecretState
		want  string // of the first
	}{
		{"the only one", usedAgo("old", 0), nil, "in use"},
		{"the only one, idle", usedAgo("old", 7), nil, weekOld},
		{"the only one, never used", neverUsed("old", 30), nil, "never used"},
		{"rotated", usedAgo("old", 7), []SecretState{inUse}, weekOld + safe},
		{"rotated a moment less than a week ago", with(usedAgo("old", 7), func(s *SecretState) { s.Used.Last = s.Used.Last.Add(time.Second) }), []SecretState{inUse}, "in use"},
		{"both in use", usedAgo("old", 1), []SecretState{inUse}, "in use"},
		{"the new one was never used", usedAgo("old", 7), []SecretState{neverUsed("new", 6)}, weekOld},
		{"the new one is not used since", usedAgo("old", 7), []SecretState{usedAgo("new", 8)}, weekOld},
		{"the new one was used in the same second", usedAgo("old", 7), []SecretState{usedAgo("new", 7)}, weekOld},
		{"the new one was used a second later", usedAgo("old", 7), []SecretState{with(usedAgo("new", 7), func(s *SecretState) { s.Used.Last = s.Used.Last.Add(time.Second) })}, weekOld + safe},
		{"the new one has expired", usedAgo("old", 7), []SecretState{with(inUse, expired)}, weekOld},
		{"one of several new ones", usedAgo("old", 7), []SecretState{neverUsed("a", 1), with(inUse, expired), inUse}, weekOld + safe},

		{"made today, beside one in use", neverUsed("old", 0.1), []SecretState{inUse}, "never used"},
		{"made long ago, beside one in use", neverUsed("old", 7), []SecretState{inUse}, "never used" + safe},
		{"made after the other was last used", neverUsed("old", 7), []SecretState{usedAgo("new", 8)}, "never used"},
		{"tracked within a minute", with(neverUsed("old", 8), func(s *SecretState) { s.Used.Since = s.Made.Add(time.Minute) }), []SecretState{inUse}, "never used" + safe},
		{"tracked later than made", with(neverUsed("old", 7), func(s *SecretState) { s.Made = ago(300) }), nil, weekOld},
		{"tracked later than made, beside one in use", with(neverUsed("old", 7), func(s *SecretState) { s.Made = ago(300) }), []SecretState{inUse}, weekOld + safe},
		{"tracked today, made long ago", with(neverUsed("old", 0), func(s *SecretState) { s.Made = ago(300) }), []SecretState{inUse}, "unused since 2026-01-02T12:00:00Z"},
		{"tracked before it was made", with(neverUsed("old", 1), func(s *SecretState) { s.Used.Since = ago(300) }), []SecretState{inUse}, "never used"},
		{"nobody knows when it was made", with(neverUsed("old", 7), notMade), nil, weekOld},
		{"nobody knows when it was made, beside one in use", with(neverUsed("old", 7), notMade), []SecretState{inUse}, weekOld + safe},
		{"used before it was made", with(usedAgo("old", 30), func(s *SecretState) { s.Made = ago(7) }), []SecretState{inUse}, weekOld + safe},
		{"used before it was made, today", with(usedAgo("old", 30), func(s *SecretState) { s.Made = ago(0) }), []SecretState{inUse}, "unused since 2026-01-02T12:00:00Z"},

		{"no record", with(usedAgo("old", 0), notNoted), []SecretState{inUse}, "not known yet"},
		{"no record, nobody knows when it was made", SecretState{ID: "old"}, []SecretState{inUse}, "not known yet"},
		{"the other has no record", usedAgo("old", 7), []SecretState{with(inUse, notNoted)}, weekOld},

		{"the clock was set back: used in the future", usedAgo("old", -30), []SecretState{inUse}, "in use"},
		{"made in the future", neverUsed("old", -30), []SecretState{inUse}, "never used"},
		{"the other was used in the future", usedAgo("old", 7), []SecretState{usedAgo("new", -1)}, weekOld},
		{"the clock was set far ahead", usedAgo("old", 300), []SecretState{usedAgo("new", 300)}, "unused since " + ago(300).Format(time.RFC3339)},

		{"expires now", with(usedAgo("old", 0), expired), []SecretState{inUse}, "expired"},
		{"expired, the only one", with(usedAgo("old", 0), expired), nil, "expired"},
		{"expired, no record", with(SecretState{ID: "old"}, expired), nil, "expired"},
		{"expires in a second", with(usedAgo("old", 0), func(s *SecretState) { s.Expires = start.Add(time.Second) }), nil, "in use"},
		{"expires in a second, rotated", with(usedAgo("old", 7), func(s *SecretState) { s.Expires = start.Add(time.Second) }), []SecretState{inUse}, weekOld + safe},

		{"known by its position", with(usedAgo("1", 7), byPosition), []SecretState{inUse}, "known by its position alone: give it an id"},
		{"known by its position, expired", with(with(usedAgo("1", 7), byPosition), expired), []SecretState{inUse}, "expired"},
		{"the other is known by its position", usedAgo("old", 7), []SecretState{with(inUse, byPosition)}, weekOld},
	} {
		verdict := Removable(append([]SecretState{test.old}, test.other...), start)[test.old.ID]
		if verdict.String() != test.want {
			t.Errorf("%s: %q, want %q", test.name, verdict, test.want)
		}
	}
}

// What can be removed by it is said of all expired ones, and never of nothing.
func TestRemovableNothing(t *testing.T) {
	t.Parallel()
	if verdicts := Removable(nil, start); len(verdicts) != 0 {
		t.Errorf("%v", verdicts)
	}
	if !Removable([]SecretState{with(usedAgo("old", 0), expired)}, start)["old"].Safe {
		t.Error("an expired secret is called needed")
	}
}

// Whoever removes all that is called safe leaves each client the secret that it
// used last, and every one that was used within a week.
func TestRemovableLeavesWhatIsUsed(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same cases each time
	for range 20_000 {
		secrets := make([]SecretState, 1+random.IntN(4))
		var last time.Time
		for i := range secrets {
			secrets[i] = randomState(random, fmt.Sprint(i))
			if secrets[i].live(start) && secrets[i].Used.Last.After(last) {
				last = secrets[i].Used.Last
			}
		}
		verdicts := Removable(secrets, start)
		for _, s := range secrets {
			needed := s.live(start) && !s.Used.Last.IsZero() && (s.Used.Last.Equal(last) || s.Used.Last.After(ago(7)))
			if needed && verdicts[s.ID].Safe {
				t.Fatalf("%s is called safe to remove: %+v", s.ID, secrets)
			}
		}
	}
}

func randomState(random *rand.Rand, id string) SecretState {
	moment := func() time.Time {
		if random.IntN(4) == 0 {
			return time.Time{}
		}
		return ago(float64(random.IntN(30) - 5))
	}
	state := SecretState{ID: id, Made: moment(), ByPosition: random.IntN(5) == 0, Used: Used{Last: moment(), Since: moment()}}
	if random.IntN(3) == 0 {
		state.Expires = moment()
	}
	return state
}
