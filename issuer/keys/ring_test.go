package keys

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

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
		if _, err := token.Parse(raw, ring, token.Type); err != nil {
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

// A clock that is behind the one by which the first key was made signs too.
func TestClockBehindTheFirstKey(t *testing.T) {
	t.Parallel()
	clock := new(clock)
	docs := store.NewMemory()
	ahead, behind := NewRing(docs, clock.now), NewRing(docs, clock.after(-time.Minute))
	maintain(t, ahead, usual)
	maintain(t, behind, usual)
	if signing(t, ahead) != signing(t, behind) {
		t.Error("two instances sign with different keys")
	}
	if list := behind.List(); list[0].State != Active {
		t.Errorf("state %s, expected active", list[0].State)
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

// A document that cannot be understood stops the load, is named, and is left
// as it is; a ring that knew keys goes on with them.
func TestUnreadableDocumentIsNotReplaced(t *testing.T) {
	t.Parallel()
	good := encode(t, makeDocument(t, token.ES256, token.EdDSA))
	broken := map[string][]byte{
		"empty":           {},
		"truncated":       good[:len(good)-3],
		"a later version": []byte(`{"version":2}`),
		"damaged":         damaged(t, good, set("kid", strings.Repeat("A", 43))),
	}
	for name, raw := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			docs := store.NewMemory()
			replace(t, docs, good)
			running := NewRing(docs, new(clock).now)
			if err := running.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			before, generation := signing(t, running), running.Generation()
			replace(t, docs, raw)
			started := NewRing(docs, new(clock).now)
			for _, ring := range []*Ring{running, started} {
				expectRefusal(t, ring.Load(t.Context()))
				_, err := ring.Maintain(t.Context(), usual)
				expectRefusal(t, err)
				_, err = ring.change(t.Context(), usual)
				expectRefusal(t, err)
			}
			if signing(t, running) != before || running.Generation() != generation {
				t.Error("the running instance lost its keys")
			}
			if _, err := started.Signer(); !errors.Is(err, ErrNoKey) {
				t.Errorf("the started instance signs: %v", err)
			}
			if left, err := docs.Load(t.Context(), DocumentName); err != nil || string(left) != string(raw) {
				t.Errorf("the document was replaced (%v)", err)
			}
		})
	}
}

func expectRefusal(t *testing.T, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), DocumentName) || !strings.Contains(err.Error(), "nothing is replaced") {
		t.Errorf("error %v: expected it to name the document, and that nothing is replaced", err)
	}
}

// gone is a place whose documents disappear.
type gone struct {
	store.Documents
	missing bool
}

func (g *gone) Load(ctx context.Context, name string) ([]byte, error) {
	if g.missing {
		return nil, fs.ErrNotExist
	}
	return g.Documents.Load(ctx, name)
}

func (g *gone) Update(ctx context.Context, name string, change func([]byte) ([]byte, error)) error {
	return g.Documents.Update(ctx, name, func(old []byte) ([]byte, error) {
		if g.missing {
			old = nil
		}
		return change(old)
	})
}

// A storage that lost its content, or is not mounted, does not make a running
// instance throw its keys away.
func TestMissingDocumentIsNotReplaced(t *testing.T) {
	t.Parallel()
	docs := &gone{Documents: store.NewMemory()}
	ring := NewRing(docs, new(clock).now)
	maintain(t, ring, usual)
	before := signing(t, ring)
	docs.missing = true
	expectRefusal(t, ring.Load(t.Context()))
	_, err := ring.Maintain(t.Context(), usual)
	expectRefusal(t, err)
	_, err = ring.change(t.Context(), usual)
	expectRefusal(t, err)
	if signing(t, ring) != before {
		t.Error("another key signs")
	}
}

func TestMaintainRefusesAnUnusableConfig(t *testing.T) {
	t.Parallel()
	docs := store.NewMemory()
	ring := NewRing(docs, new(clock).now)
	if _, err := ring.Maintain(t.Context(), Config{}); err == nil {
		t.Error("the zero configuration was taken")
	}
	if _, err := docs.Load(t.Context(), DocumentName); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a document was made: %v", err)
	}
}

func TestCancelledContext(t *testing.T) {
	t.Parallel()
	ring := NewRing(store.NewMemory(), new(clock).now)
	leave, err := ring.enter(t.Context()) // another one is at work
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ring.Maintain(ctx, usual); !errors.Is(err, context.Canceled) {
		t.Errorf("Maintain: %v, expected context.Canceled", err)
	}
	leave()
	if err := ring.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Load: %v, expected context.Canceled", err)
	}
}

// Instances that start at once on one folder agree on one key.
func TestInstancesAgreeOnTheFirstKey(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var rings []*Ring
	for range 4 {
		docs := store.OverStorage(&certmagic.FileStorage{Path: folder}, store.Prefix("https://api.example.com"))
		rings = append(rings, NewRing(docs, new(clock).now))
	}
	made := make(chan int, len(rings))
	for _, ring := range rings {
		go func() {
			changes, err := ring.Maintain(t.Context(), usual)
			if err != nil {
				t.Error(err)
			}
			made <- len(changes.Made)
		}()
	}
	total := 0
	for range rings {
		total += <-made
	}
	if total != 1 {
		t.Errorf("%d keys were made, expected one", total)
	}
	for _, ring := range rings {
		if kids := published(t, ring); len(kids) != 1 || signing(t, ring) != signing(t, rings[0]) {
			t.Errorf("published %v, signing %s; expected one key that all agree on", kids, signing(t, ring))
		}
	}
}

// Requests go on while keys change (for the race detector).
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	clock := new(clock)
	docs := store.NewMemory()
	rings := []*Ring{NewRing(docs, clock.now), NewRing(docs, clock.now)}
	config := usual
	config.LongestLifetime = 365 * day // no key is forgotten between two lookups
	for _, ring := range rings {
		maintain(t, ring, config)
	}
	var group sync.WaitGroup
	for _, ring := range rings {
		group.Go(func() {
			for range 100 {
				clock.move(12 * time.Hour)
				maintain(t, ring, config)
			}
		})
		group.Go(func() {
			for range 1000 {
				if _, ok := ring.Key(signing(t, ring)); !ok {
					t.Error("a key signs that does not verify")
				}
				ring.List()
				ring.JWKS()
				ring.Generation()
			}
		})
	}
	group.Wait()
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

func TestLookupsDoNotAllocate(t *testing.T) {
	ring := NewRing(store.NewMemory(), new(clock).now)
	maintain(t, ring, usual)
	kid := signing(t, ring)
	allocations := testing.AllocsPerRun(100, func() {
		_, _ = ring.Signer()
		_, _ = ring.Key(kid)
		_ = ring.Generation()
		_, _ = ring.JWKS()
	})
	if allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func BenchmarkRing(b *testing.B) {
	ring := NewRing(store.NewMemory(), time.Now)
	maintain(b, ring, usual)
	kid := signing(b, ring)
	b.Run("Signer", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = ring.Signer()
		}
	})
	b.Run("Key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = ring.Key(kid)
		}
	})
	b.Run("Maintain when nothing is due", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			maintain(b, ring, usual)
		}
	})
}
