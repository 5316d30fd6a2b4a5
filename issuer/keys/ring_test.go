package keys

import (
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

func maintain(t testing.TB, ring *Ring, config Config) Changes {
	t.Helper()
	changes, err := ring.Maintain(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func signing(t testing.TB, ring *Ring) string {
	t.Helper()
	signer, err := ring.Signer()
	if err != nil {
		t.Fatal(err)
	}
	return signer.KeyID()
}

func published(t testing.TB, ring *Ring) []string {
	t.Helper()
	body, _ := ring.JWKS()
	var set struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal(body, &set); err != nil {
		t.Fatal(err)
	}
	kids := []string{}
	for _, key := range set.Keys {
		kids = append(kids, key.Kid)
	}
	return kids
}

func replace(t testing.TB, docs store.Documents, raw []byte) {
	t.Helper()
	if err := docs.Update(t.Context(), DocumentName, func([]byte) ([]byte, error) { return raw, nil }); err != nil {
		t.Fatal(err)
	}
}

func TestEmptyRing(t *testing.T) {
	t.Parallel()
	docs := store.NewMemory()
	ring := NewRing(docs, new(clock).now)
	for range 2 { // before Load and after it
		if signer, err := ring.Signer(); signer != nil || !errors.Is(err, ErrNoKey) {
			t.Errorf("Signer: %v, %v; expected ErrNoKey", signer, err)
		}
		if err := ring.Ready(); !errors.Is(err, ErrNoKey) {
			t.Errorf("Ready: %v, expected ErrNoKey", err)
		}
		if _, ok := ring.Key(""); ok {
			t.Error("a key was found")
		}
		if body, etag := ring.JWKS(); string(body) != `{"keys":[]}` || etag == "" {
			t.Errorf("JWKS %s, entity tag %s; expected an empty set", body, etag)
		}
		if list := ring.List(); len(list) != 0 {
			t.Errorf("List: %v", list)
		}
		if err := ring.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// Load is for `caddy validate` too: it stores nothing.
	if _, err := docs.Load(t.Context(), DocumentName); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load made a document: %v", err)
	}
}

// The first key signs at once; what it signs verifies with what is published.
func TestFirstKey(t *testing.T) {
	t.Parallel()
	for _, alg := range token.Algorithms() {
		ring := NewRing(store.NewMemory(), new(clock).now)
		config := usual
		config.Algorithm = alg
		changes := maintain(t, ring, config)
		kid := signing(t, ring)
		if err := ring.Ready(); err != nil {
			t.Error(err)
		}
		if len(changes.Made) != 1 || changes.Made[0] != kid || changes.Signing != kid || changes.Forgotten != nil {
			t.Errorf("%s: changes %+v, expected %s made and signing", alg, changes, kid)
		}
		list := ring.List()
		if len(list) != 1 || list[0].State != Active || list[0].Algorithm != alg || list[0].ID != kid || !list[0].SignsFrom.Equal(start) {
			t.Errorf("%s: list %+v", alg, list)
		}
		signer, err := ring.Signer()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := signer.Sign(&token.Claims{Issuer: "i", Audience: []string{"a"}, Expires: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := token.Parse(raw, ring); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if changes := maintain(t, ring, config); changes.Made != nil || changes.Signing != "" {
			t.Errorf("%s: nothing was due: %+v", alg, changes)
		}
	}
}

// One rotation as the log and the events tell it.
func TestChangesAreReportedOnce(t *testing.T) {
	t.Parallel()
	clock := new(clock)
	ring := NewRing(store.NewMemory(), clock.now)
	first := maintain(t, ring, usual).Signing
	clock.move(29 * day)
	made := maintain(t, ring, usual)
	if len(made.Made) != 1 || made.Signing != "" {
		t.Fatalf("before the takeover: %+v", made)
	}
	next := made.Made[0]
	clock.move(day + publishing)
	if taken := maintain(t, ring, usual); taken.Signing != next || taken.Made != nil || taken.Forgotten != nil {
		t.Errorf("at the takeover: %+v, expected %s to sign", taken, next)
	}
	clock.move(time.Hour + afterlife)
	if gone := maintain(t, ring, usual); len(gone.Forgotten) != 1 || gone.Forgotten[0] != first || gone.Signing != "" {
		t.Errorf("after the last token: %+v, expected %s to be forgotten", gone, first)
	}
	if _, ok := ring.Key(first); ok {
		t.Error("the forgotten key still verifies")
	}
	if again := maintain(t, ring, usual); again.Made != nil || again.Forgotten != nil || again.Signing != "" {
		t.Errorf("nothing was due: %+v", again)
	}
}

// A restart is no rotation: what Load finds signing is not reported as new.
func TestRestart(t *testing.T) {
	t.Parallel()
	clock := new(clock)
	docs := store.NewMemory()
	before := NewRing(docs, clock.now)
	maintain(t, before, usual)
	after := NewRing(docs, clock.now)
	if err := after.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if signing(t, after) != signing(t, before) {
		t.Error("another key signs after a restart")
	}
	bodyBefore, tagBefore := before.JWKS()
	bodyAfter, tagAfter := after.JWKS()
	if string(bodyBefore) != string(bodyAfter) || tagBefore != tagAfter {
		t.Error("the key set differs after a restart")
	}
	if changes := maintain(t, after, usual); changes.Signing != "" || changes.Made != nil {
		t.Errorf("a restart is reported as a change: %+v", changes)
	}
}

// The signer changes by the clock, not by the next Maintain.
func TestTakeoverNeedsNoMaintenance(t *testing.T) {
	t.Parallel()
	clock := new(clock)
	ring := NewRing(store.NewMemory(), clock.now)
	first := maintain(t, ring, usual).Signing
	clock.move(29 * day)
	next := maintain(t, ring, usual).Made[0]
	clock.move(day + publishing - 1)
	if kid := signing(t, ring); kid != first {
		t.Errorf("%s signs before its time", kid)
	}
	clock.move(1)
	if kid := signing(t, ring); kid != next {
		t.Errorf("%s signs although the time of the next key has come", kid)
	}
	states := ""
	for _, info := range ring.List() {
		states += string(info.State) + " "
	}
	if states != "retired active " {
		t.Errorf("states %q", states)
	}
}

// A generation stands for one set of verification keys.
func TestGenerationAndEntityTag(t *testing.T) {
	t.Parallel()
	clock := new(clock)
	ring := NewRing(store.NewMemory(), clock.now)
	generation, tag := ring.Generation(), ""
	config := usual
	expect := func(event string, changed bool) {
		t.Helper()
		maintain(t, ring, config)
		_, newTag := ring.JWKS()
		if got := ring.Generation() != generation; got != changed || (newTag != tag) != changed {
			t.Errorf("%s: generation changed: %t, entity tag changed: %t, expected %t", event, got, newTag != tag, changed)
		}
		generation, tag = ring.Generation(), newTag
	}
	expect("the first key", true)
	expect("nothing", false)
	config.LongestLifetime = 2 * time.Hour
	expect("a longer lifetime: stored, and no other set", false)
	clock.move(29 * day)
	expect("the next key", true)
	clock.move(day + publishing)
	expect("the takeover: the same set", false)
	clock.move(2*time.Hour + afterlife)
	expect("a key is forgotten", true)
	if kids := published(t, ring); len(kids) != 1 || kids[0] != signing(t, ring) {
		t.Errorf("published %v", kids)
	}
}

// Nothing of a private key is in what is published, listed or reported.
func TestNothingPrivateIsPublished(t *testing.T) {
	t.Parallel()
	docs := store.NewMemory()
	replace(t, docs, encode(t, makeDocument(t, token.Algorithms()...)))
	ring := NewRing(docs, new(clock).now)
	if err := ring.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	body, _ := ring.JWKS()
	for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "k", "oth"} {
		if strings.Contains(string(body), `"`+member+`":`) {
			t.Errorf("the key set has a member %q", member)
		}
	}
	if kids := published(t, ring); len(kids) != len(token.Algorithms()) {
		t.Errorf("%d keys are published", len(kids))
	}
}
