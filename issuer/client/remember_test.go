package client

import (
	"strings"
	"testing"
	"time"
)

// A secret's expiry is judged each time, remembered or not.
func TestRememberedSecretExpires(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Client{ID: "a", Secrets: []Secret{hashedSecret(t, phraseBcrypt, start.Add(time.Minute))}})
	for range 2 {
		if _, err := f.try("a", phrase); err != nil {
			t.Fatal(err)
		}
	}
	f.pass(time.Minute)
	if _, err := f.try("a", phrase); reasonOf(err) != ReasonExpiredSecret {
		t.Errorf("at its expiry: %v", err)
	}
	if spent := f.take()[class{kind: bcryptHash, rounds: 4}]; spent != 2 {
		t.Errorf("%d computations, expected one when it was right and one when it had expired", spent)
	}
}

// What was remembered is forgotten after ten minutes, and use does not prolong it.
func TestMemoryLifetime(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Client{ID: "a", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{})}})
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{0, 1}, {9 * time.Minute, 0}, {time.Minute - time.Nanosecond, 0}, {time.Nanosecond, 1}, {0, 0}} {
		f.pass(step.pass)
		if _, err := f.try("a", phrase); err != nil {
			t.Fatal(err)
		}
		if spent := f.take()[class{kind: bcryptHash, rounds: 4}]; spent != step.want {
			t.Errorf("after %v more: %d computations, expected %d", step.pass, spent, step.want)
		}
	}
}

// A reload keeps what is remembered, but only for the same client, with the
// same hash, presenting the same text.
func TestMemoryAcrossReload(t *testing.T) {
	t.Parallel()
	old := newFixture(t, Client{ID: "a", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{})}})
	if _, err := old.try("a", phrase); err != nil {
		t.Fatal(err)
	}
	changed := hashedSecret(t, strings.Replace(phraseBcrypt, "7EJV", "8EJV", 1), time.Time{})
	f := newFixture(t,
		Client{ID: "a", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{})}},
		Client{ID: "b", Secrets: []Secret{hashedSecret(t, phraseBcrypt, time.Time{})}},
		Client{ID: "c", Secrets: []Secret{changed}},
	)
	f.Memory = old.Memory
	for _, test := range []struct {
		id, secret string
		cost       int
		reason     Reason
	}{
		{"a", phrase, 0, ""},
		{"a", phrase + "x", 1, ReasonWrongSecret},
		{"b", phrase, 1, ""},
		{"c", phrase, 1, ReasonWrongSecret},
	} {
		_, err := f.try(test.id, test.secret)
		if spent := f.take()[changed.hash.class]; reasonOf(err) != test.reason || spent != test.cost {
			t.Errorf("%s: %v at the cost of %d, expected %d", test.id, err, spent, test.cost)
		}
	}
	// The hash of client a was replaced by another one: the old text is worth nothing.
	f = newFixture(t, Client{ID: "a", Secrets: []Secret{changed}})
	f.Memory = old.Memory
	if _, err := f.try("a", phrase); reasonOf(err) != ReasonWrongSecret {
		t.Errorf("with a replaced hash: %v", err)
	}
}
