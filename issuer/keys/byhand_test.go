package keys

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// newStates makes a ring whose keys have these states: any of "retired active
// next", and returns their kids.
func newStates(t *testing.T, docs store.Documents, clock *clock, states string) (ring *Ring, kids []string) {
	t.Helper()
	ring = NewRing(docs, clock.now)
	maintain(t, ring, usual)
	if strings.Contains(states, "retired") {
		mustRotate(t, ring)
		clock.move(usual.PublishAhead + publishing)
		maintain(t, ring, usual)
	}
	if strings.Contains(states, "next") {
		mustRotate(t, ring)
	}
	var got []string
	for _, key := range ring.List() {
		got, kids = append(got, string(key.State)), append(kids, key.ID)
	}
	if strings.Join(got, " ") != states {
		t.Fatalf("made %v, expected %s", got, states)
	}
	return ring, kids
}

func mustRotate(t *testing.T, ring *Ring) Info {
	t.Helper()
	next, _, err := ring.Rotate(t.Context(), usual)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// A rotation by hand goes as one that is due: the key is published at once and
// signs when all have seen it. While one waits, no other is made.
func TestRotate(t *testing.T) {
	t.Parallel()
	clock, docs := new(clock), store.NewMemory()
	ring := NewRing(docs, clock.now)
	if first := mustRotate(t, ring); first.State != Active {
		t.Errorf("the first key: %+v", first)
	}
	former := signing(t, ring)
	never := usual
	never.RotateEvery = 0
	next, changes, err := ring.Rotate(t.Context(), never)
	if err != nil || len(changes.Made) != 1 || next.ID != changes.Made[0] || next.State != Next ||
		!next.SignsFrom.Equal(start.Add(usual.PublishAhead+publishing)) || signing(t, ring) != former {
		t.Fatalf("%+v %+v %v", next, changes, err)
	}
	other := NewRing(docs, clock.now)
	for _, each := range []*Ring{ring, other} {
		again, changes, err := each.Rotate(t.Context(), usual)
		if err != nil || changes.Made != nil || again.ID != next.ID {
			t.Errorf("while one waits: %+v %+v %v", again, changes, err)
		}
	}
	clock.moveTo(next.SignsFrom)
	if signing(t, ring) != next.ID {
		t.Error("it does not sign when its time has come")
	}
	if after := mustRotate(t, ring); after.ID == next.ID {
		t.Error("none is made after it has taken over")
	}
	if list := ring.List(); !list[0].SignsUntil.Equal(list[1].SignsFrom) ||
		!list[0].Forgotten.Equal(list[0].SignsUntil.Add(usual.LongestLifetime+afterlife)) || !list[2].Forgotten.IsZero() {
		t.Errorf("list %+v", list)
	}
}

// Of many that rotate at the same moment, one makes a key.
func TestRotateAtOnce(t *testing.T) {
	t.Parallel()
	clock, docs := new(clock), store.NewMemory()
	newStates(t, docs, clock, "active")
	var made atomic.Int32
	done := make(chan string)
	for range 8 {
		go func() {
			next, changes, err := NewRing(docs, clock.now).Rotate(t.Context(), usual)
			if err != nil {
				t.Error(err)
			}
			made.Add(int32(len(changes.Made)))
			done <- next.ID
		}()
	}
	first := <-done
	for range 7 {
		if kid := <-done; kid != first {
			t.Errorf("%s and %s were answered", first, kid)
		}
	}
	if made.Load() != 1 {
		t.Errorf("%d keys were made", made.Load())
	}
}

// headerOf is the header of tokens, encoded, that the key signs.
func headerOf(kid string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","typ":"at+jwt","kid":"` + kid + `"}`))
}

// A revoked key is gone at once; who signs after it, and with what the others
// remain.
func TestRevoke(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ states, revoke, after string }{
		{"active", "active", "active"}, // another one
		{"active next", "active", "active"},
		{"active next", "next", "active"},
		{"retired active", "retired", "active"},
		{"retired active", "active", "retired active"},
		{"retired active next", "retired", "active next"},
		{"retired active next", "active", "retired active"},
		{"retired active next", "next", "retired active"},
	} {
		t.Run(test.states+" revoke "+test.revoke, func(t *testing.T) {
			t.Parallel()
			clock, docs := new(clock), store.NewMemory()
			ring, kids := newStates(t, docs, clock, test.states)
			i := slices.Index(strings.Fields(test.states), test.revoke)
			generation, former := ring.Generation(), signing(t, ring)
			header := headerOf(kids[i])
			named, _ := ring.Key(kids[i])
			if key, ok := ring.KeyOf(header); !ok || key != named {
				t.Errorf("by its header: %+v, %v", key, ok)
			}
			_, etag := ring.JWKS()
			changes, err := ring.Revoke(t.Context(), kids[i], usual)
			if err != nil || !slices.Equal(changes.Revoked, kids[i:i+1]) || (changes.Signing != "") != (test.revoke == "active") {
				t.Fatalf("%+v %v", changes, err)
			}
			if _, tag := ring.JWKS(); ring.Generation() == generation || tag == etag {
				t.Error("what is remembered of tokens, or of the key set, is not void")
			}
			if (signing(t, ring) != former) != (test.revoke == "active") || changes.Signing != "" && changes.Signing != signing(t, ring) {
				t.Error("the wrong key signs")
			}
			other := NewRing(docs, clock.now)
			maintain(t, other, usual)
			for _, each := range []*Ring{ring, other} {
				var got []string
				for _, key := range each.List() {
					got = append(got, string(key.State))
				}
				if _, ok := each.KeyOf(header); ok {
					t.Error("tokens with its header pass")
				}
				if _, ok := each.Key(kids[i]); ok || slices.Contains(published(t, each), kids[i]) || strings.Join(got, " ") != test.after {
					t.Errorf("is there: %v; states %v", ok, got)
				}
			}
			if _, err := ring.Revoke(t.Context(), kids[i], usual); !errors.Is(err, ErrUnknownKey) {
				t.Errorf("twice: %v", err)
			}
		})
	}
}

// What cannot be done is an error, and changes nothing.
func TestByHandErrors(t *testing.T) {
	t.Parallel()
	clock, docs := new(clock), store.NewMemory()
	ring := NewRing(docs, clock.now)
	if _, err := ring.Revoke(t.Context(), "x", usual); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("without keys: %v", err)
	}
	ring, kids := newStates(t, docs, clock, "active")
	if _, err := ring.Revoke(t.Context(), "", usual); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("no kid: %v", err)
	}
	broken := usual
	broken.Algorithm = "HS256"
	if _, err := ring.Revoke(t.Context(), kids[0], broken); err == nil {
		t.Error("an unusable configuration was taken")
	}
	if _, _, err := ring.Rotate(t.Context(), broken); err == nil {
		t.Error("an unusable configuration was taken")
	}
	replace(t, docs, []byte("{}"))
	if _, err := ring.Revoke(t.Context(), kids[0], usual); err == nil || !strings.Contains(err.Error(), DocumentName) {
		t.Errorf("a damaged document: %v", err)
	}
	if _, _, err := ring.Rotate(t.Context(), usual); err == nil || !strings.Contains(err.Error(), DocumentName) {
		t.Errorf("a damaged document: %v", err)
	}
	if got := published(t, ring); !slices.Equal(got, kids) {
		t.Errorf("published %v, expected %v", got, kids)
	}
}

// lagging reads old documents, as a replica does, and changes present ones.
type lagging struct {
	store.Documents
	old []byte
}

func (l *lagging) Load(context.Context, string) ([]byte, error) { return l.old, nil }

// An instance that has not seen a revocation takes nothing of what it knew back
// into the document, whatever it does.
func TestRevokedStaysRevoked(t *testing.T) {
	t.Parallel()
	clock, docs := new(clock), store.NewMemory()
	ring, kids := newStates(t, docs, clock, "active")
	old, err := docs.Load(t.Context(), DocumentName)
	if err != nil {
		t.Fatal(err)
	}
	behind := NewRing(&lagging{docs, old}, clock.now)
	maintain(t, behind, usual)
	if _, err := ring.Revoke(t.Context(), kids[0], usual); err != nil {
		t.Fatal(err)
	}
	longer := usual
	longer.LongestLifetime *= 2
	maintain(t, behind, longer) // writes the document
	if _, err := behind.Revoke(t.Context(), kids[0], usual); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("revoked twice: %v", err)
	}
	mustRotate(t, behind)
	if maintain(t, ring, usual); len(ring.List()) != 2 || slices.Contains(published(t, ring), kids[0]) {
		t.Errorf("%v, and %s was revoked", published(t, ring), kids[0])
	}
}

// An instance whose clock is behind signs for a moment with the key before the
// revoked one: its tokens are good as long as they live.
func TestRevokeWithAClockBehind(t *testing.T) {
	t.Parallel()
	for _, states := range []string{"retired active", "retired active next"} {
		clock, docs := new(clock), store.NewMemory()
		ring, kids := newStates(t, docs, clock, states)
		clock.move(usual.LongestLifetime + afterlife - 2*time.Second) // soon the retired one is forgotten
		behind := NewRing(docs, clock.after(-token.Leeway))
		longer := usual
		longer.LongestLifetime *= 3
		maintain(t, behind, longer)
		if _, err := ring.Revoke(t.Context(), kids[1], usual); err != nil {
			t.Fatal(err)
		}
		maintain(t, behind, longer)
		signer := signing(t, behind)
		if signer != kids[0] {
			t.Errorf("%s: the test tests nothing", states)
		}
		clock.move(longer.LongestLifetime + token.Leeway)
		for _, each := range []*Ring{ring, behind} {
			maintain(t, each, usual)
			if _, ok := each.Key(signer); !ok {
				t.Errorf("%s: refused a token that has not expired", states)
			}
		}
	}
}

// An instance that has read of a revocation elsewhere still tells that another key
// signs: [Ring.Load] takes that from no one.
func TestLoadHidesNoChange(t *testing.T) {
	t.Parallel()
	clock, docs := new(clock), store.NewMemory()
	ring, kids := newStates(t, docs, clock, "active")
	other := NewRing(docs, clock.now)
	if err := other.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if changes := maintain(t, other, usual); changes.Signing != "" {
		t.Errorf("a start is a change: %+v", changes)
	}
	if _, err := ring.Revoke(t.Context(), kids[0], usual); err != nil {
		t.Fatal(err)
	}
	if err := other.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if changes := maintain(t, other, usual); changes.Signing != signing(t, ring) {
		t.Errorf("another key signs, and the changes are %+v", changes)
	}
}
