package client

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"
)

// Who measures how long a refusal takes learns nothing: each reason costs, of
// each class, as many computations as the client with the most secrets of it.
func TestEveryFailureCostsTheSame(t *testing.T) {
	t.Parallel()
	f := newFixture(t, everyKind(t)...)
	want := map[class]int{
		{kind: argon2id, rounds: 1, memory: 64, threads: 1, length: 32}: 3,
		{kind: bcryptHash, rounds: 4}:                                   2,
		{kind: pbkdf2SHA256, rounds: 1000, length: 32}:                  1,
	}
	for _, test := range []struct {
		id, secret string
		reason     Reason
	}{
		{"nobody", wrong, ReasonUnknownClient},
		{"nobody", phrase, ReasonUnknownClient},
		{"", "", ReasonUnknownClient},
		{"\xff\x00", wrong, ReasonUnknownClient},
		{"plain", wrong, ReasonWrongSecret},
		{"plain", "", ReasonWrongSecret},
		{"generated", wrong, ReasonWrongSecret},
		{"argon2id", wrong, ReasonWrongSecret},
		{"argon2id", "", ReasonWrongSecret},
		{"argon2id", strings.Repeat("x", 5000), ReasonWrongSecret},
		{"rotating", wrong, ReasonWrongSecret},
		{"rotating", phrase, ReasonExpiredSecret},
		{"mixed", wrong, ReasonWrongSecret},
		{"mixed", phrase + "\x00", ReasonWrongSecret},
		{"mixed", strings.Repeat("x", 73), ReasonWrongSecret},
		{"pbkdf2", phrase + "\x00", ReasonWrongSecret},
		{"expired", phrase, ReasonExpiredSecret},
		{"expired", wrong, ReasonWrongSecret},
		{"expired-plain", phrase, ReasonExpiredSecret},
		{"two-cheap", wrong, ReasonWrongSecret},
		{"secretless", wrong, ReasonNoSecret},
		{"secretless", "", ReasonNoSecret},
		{"off", phrase, ReasonDisabled},
		{"off", wrong, ReasonDisabled},
		{"off-plain", phrase, ReasonDisabled},
	} {
		got, err := f.try(test.id, test.secret)
		if reasonOf(err) != test.reason || got != (Authenticated{}) {
			t.Errorf("%q, %q: %v, expected %s", test.id, test.secret, err, test.reason)
		}
		if spent := f.take(); !maps.Equal(spent, want) {
			t.Errorf("%q, %q: cost %v, expected %v", test.id, test.secret, spent, want)
		}
	}
	for name, refuse := range map[Reason]func() error{
		ReasonMissing:   func() error { return f.Reject(context.Background(), Credentials{}, nil) },
		ReasonMalformed: func() error { return f.Reject(context.Background(), Credentials{}, errors.New("no colon")) },
	} {
		if err := refuse(); reasonOf(err) != name {
			t.Errorf("%v, expected %s", err, name)
		}
		if spent := f.take(); !maps.Equal(spent, want) {
			t.Errorf("%s: cost %v, expected %v", name, spent, want)
		}
	}
	// A method that nobody has built is no way in, even with the right secret.
	_, err := f.Authenticate(context.Background(), Credentials{Method: "none", ClientID: "plain", Secret: phrase})
	if spent := f.take(); reasonOf(err) != ReasonMalformed || !maps.Equal(spent, want) {
		t.Errorf("unknown method: %v, cost %v", err, spent)
	}
}

// The numbers of comparisons are equal too, the fast ones included.
func TestCandidatesAreAsManyForAll(t *testing.T) {
	t.Parallel()
	now := newRegistry(t, everyKind(t)...).current.Load()
	fast, slow := len(now.nobody.candidates.fast), len(now.nobody.candidates.slow)
	if fast != 2 || slow != 6 {
		t.Errorf("%d fast and %d slow dummies", fast, slow)
	}
	for id, found := range now.accounts.all() {
		if len(found.candidates.fast) != fast || len(found.candidates.slow) != slow {
			t.Errorf("%s: %d and %d candidates", id, len(found.candidates.fast), len(found.candidates.slow))
		}
	}
	for _, dummy := range append(now.nobody.candidates.fast, now.nobody.candidates.slow...) {
		if dummy.live(start) {
			t.Error("a dummy is alive")
		}
	}
}

// Without a slow hash in the configuration nothing is slow, and the queue is
// not asked.
func TestFastSecretsAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Client{ID: "plain", Secrets: []Secret{plainSecret(t, phrase, time.Time{})}})
	f.Queue = newQueue(0, 0)
	if _, err := f.try("plain", phrase); err != nil {
		t.Error(err)
	}
	if _, err := f.try("plain", wrong); reasonOf(err) != ReasonWrongSecret {
		t.Error(err)
	}
	if _, err := f.try("nobody", wrong); reasonOf(err) != ReasonUnknownClient {
		t.Error(err)
	}
}

// Cheap credentials are judged as long as it costs no slow hash, and nobody
// learns from it which clients exist.
func TestCheapCredentials(t *testing.T) {
	t.Parallel()
	f := newFixture(t, everyKind(t)...)
	try := func(id, secret string) error {
		_, err := f.Authenticate(t.Context(), Credentials{Method: SecretBasic, ClientID: id, Secret: secret, Cheap: true})
		return err
	}
	if err := try("plain", phrase); err != nil {
		t.Errorf("a plain secret: %v", err)
	}
	if err := try("argon2id", phrase); !errors.Is(err, ErrCostly) {
		t.Errorf("a slow hash: %v", err)
	}
	for _, id := range []string{"plain", "argon2id", "nobody"} {
		if err := try(id, wrong); !errors.Is(err, ErrCostly) || errors.Is(err, ErrInvalidClient) {
			t.Errorf("wrong secret of %s: %v", id, err)
		}
	}
	if err := f.Reject(t.Context(), Credentials{Cheap: true}, nil); !errors.Is(err, ErrCostly) {
		t.Errorf("nothing: %v", err)
	}
	if spent := f.take(); len(spent) != 0 {
		t.Errorf("spent %v", spent)
	}
	if _, err := f.try("argon2id", phrase); err != nil {
		t.Fatal(err)
	}
	if err := try("argon2id", phrase); err != nil {
		t.Errorf("a slow hash that is remembered: %v", err)
	}
}
