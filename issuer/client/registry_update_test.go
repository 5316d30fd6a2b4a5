package client

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
)

func generatedSecret(t testing.TB) (text string, secret Secret) {
	t.Helper()
	text = NewGenerated()
	phc, err := HashSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	secret, err = NewHashedSecret("", phc, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return text, secret
}

// Clients come, change and go, and nobody else notices.
func TestRegistryUpdate(t *testing.T) {
	t.Parallel()
	first, one := generatedSecret(t)
	second, other := generatedSecret(t)
	f := newFixture(t, Client{ID: "kept", Secrets: []Secret{plainSecret(t, phrase, time.Time{})}})
	update := func(changed []*Client, removed ...string) {
		t.Helper()
		if err := f.Registry.Update(changed, removed); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(id, secret string, want Reason) {
		t.Helper()
		if _, err := f.try(id, secret); reasonOf(err) != want {
			t.Errorf("%s: %v, expected %q", id, err, want)
		}
	}
	expect("added", first, ReasonUnknownClient)
	update([]*Client{{ID: "added", Secrets: []Secret{one}}})
	expect("added", first, "")
	expect("added", second, ReasonWrongSecret)
	update([]*Client{{ID: "added", Secrets: []Secret{one, other}}})
	expect("added", first, "")
	expect("added", second, "")
	update([]*Client{{ID: "added", Secrets: []Secret{other}}})
	expect("added", first, ReasonWrongSecret)
	update([]*Client{{ID: "added", Secrets: []Secret{other}, Disabled: true}})
	expect("added", second, ReasonDisabled)
	update(nil, "added", "nobody")
	expect("added", second, ReasonUnknownClient)
	expect("kept", phrase, "")
	if f.Registry.Len() != 1 {
		t.Errorf("%d clients", f.Registry.Len())
	}
}

// A change that cannot be made changes nothing.
func TestRegistryUpdateRefuses(t *testing.T) {
	t.Parallel()
	_, shared := generatedSecret(t)
	registry := newRegistry(t, Client{ID: "bridge", AllowBridge: true, Secrets: []Secret{shared}})
	before := registry.current.Load()
	for name, changed := range map[string][]*Client{
		"no client_id":        {{ID: "good"}, {ID: ""}},
		"no secret":           {{ID: "good"}, {ID: "a", Secrets: []Secret{{}}}},
		"a secret in common":  {{ID: "good"}, {ID: "a", AllowBridge: true, Secrets: []Secret{shared}}},
		"bridge and bindings": {{ID: "a", AllowBridge: true, Require: BoundByDPoP}},
	} {
		if err := registry.Update(changed, []string{"nobody"}); err == nil || registry.current.Load() != before {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What one had in common with one that has gone, the next may have.
func TestRegistryUpdateFreesSecrets(t *testing.T) {
	t.Parallel()
	text, shared := generatedSecret(t)
	f := newFixture(t, Client{ID: "old", AllowBridge: true, Secrets: []Secret{shared}})
	key := func() string {
		who, err := f.Authenticate(t.Context(), Credentials{Method: BridgeAPIKey, Secret: text})
		if err != nil {
			return string(reasonOf(err))
		}
		return who.Client().ID
	}
	if got := key(); got != "old" {
		t.Error(got)
	}
	if err := f.Registry.Update([]*Client{{ID: "new", AllowBridge: true, Secrets: []Secret{shared}}}, []string{"old"}); err != nil {
		t.Fatal(err)
	}
	if got := key(); got != "new" {
		t.Error(got)
	}
	if err := f.Registry.Update(nil, []string{"new"}); err != nil {
		t.Fatal(err)
	}
	if got := key(); got != string(ReasonUnknownKey) {
		t.Error(got)
	}
	// What nobody has as a secret need not be kept out of the log for that.
	if got := f.Registry.LoggableID("0123456789abcdef"); got == WithheldID {
		t.Error(got)
	}
}

// An attempt costs as much for a client that was there before as for one that
// came later with more, or more costly, secrets.
func TestRegistryUpdateKeepsCostsEqual(t *testing.T) {
	t.Parallel()
	kinds := everyKind(t)
	registry := newRegistry(t, Client{ID: "first", Secrets: []Secret{plainSecret(t, phrase, time.Time{})}})
	for i, c := range kinds {
		c.ID = fmt.Sprint("later", i)
		if err := registry.Update([]*Client{&c}, nil); err != nil {
			t.Fatal(err)
		}
		now := registry.current.Load()
		fast, slow := len(now.nobody.candidates.fast), len(now.nobody.candidates.slow)
		for id, found := range now.accounts.all() {
			if len(found.candidates.fast) != fast || len(found.candidates.slow) != slow {
				t.Errorf("after %s: %s has %d and %d candidates, nobody %d and %d",
					c.ID, id, len(found.candidates.fast), len(found.candidates.slow), fast, slow)
			}
		}
	}
}

// Very many that come at once are all there, and found by the same as if each came alone.
func TestRegistryUpdateInParts(t *testing.T) {
	t.Parallel()
	const count = 2*LeastPart + 7
	_, shared := generatedSecret(t)
	many := make([]*Client, count)
	for i := range many {
		_, own := generatedSecret(t)
		own.ID = "own"
		many[i] = &Client{ID: fmt.Sprint(i), Secrets: []Secret{own}, AllowBridge: i%2 == 0}
		if i%3 == 0 {
			many[i].Secrets, many[i].AllowBridge = append(many[i].Secrets, shared), false
		}
	}
	together, alone := newRegistry(t, Client{ID: "1"}), newRegistry(t, Client{ID: "1"})
	if err := together.Update(many, []string{"2"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range many {
		if err := alone.Update([]*Client{c}, nil); err != nil {
			t.Fatal(err)
		}
	}
	got, want := together.current.Load(), alone.current.Load()
	if !reflect.DeepEqual(got.fast, want.fast) || got.accounts.len() != count || got.keys.len() != want.keys.len() {
		t.Errorf("%d clients, %d digests, %d keys", got.accounts.len(), got.fast.len(), got.keys.len())
	}
	for _, c := range many {
		found, ok := got.accounts.get(c.ID)
		if !ok || found.client != c || len(found.candidates.fast) != 2 || found.candidates.fast[0] != &c.Secrets[0] {
			t.Errorf("%s: %+v", c.ID, found)
		}
		index, has := keyDigest(c, &c.Secrets[0])
		if holder, found := got.keys.get(index); found != has || found && holder.client != c {
			t.Errorf("%s: its key is found: %v", c.ID, found)
		}
	}
}

// A panic while clients are taken up is an error that ends nothing and changes nothing.
func TestRegistryUpdatePanics(t *testing.T) {
	t.Parallel()
	registry := newRegistry(t, Client{ID: "kept"})
	before := registry.current.Load()
	cut := Secret{ID: "1", hash: hash{class: class{kind: plainSHA256, length: 32}, sum: []byte("cut")}}
	err := registry.Update([]*Client{{ID: "good"}, {ID: "bad", Secrets: []Secret{cut}}}, []string{"kept"})
	if err == nil || registry.current.Load() != before {
		t.Errorf("got %v", err)
	}
}

// Each state of the clients has a generation of its own: a remembered answer is
// worth nothing after a change.
func TestRegistryUpdateChangesGeneration(t *testing.T) {
	t.Parallel()
	registry, ledger := newRegistry(t, Client{ID: "a"}), NewLedger(nil)
	standing := NewStanding(registry, ledger, &revocations{})
	seen := []uint64{standing.Generation()}
	for _, disabled := range []bool{true, false, true} {
		if err := registry.Update([]*Client{{ID: "a", Disabled: disabled}}, nil); err != nil {
			t.Fatal(err)
		}
		if now := standing.Generation(); slices.Contains(seen, now) {
			t.Errorf("generation %d was there before", now)
		} else {
			seen = append(seen, now)
		}
	}
}
