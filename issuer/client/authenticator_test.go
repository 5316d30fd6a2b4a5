package client

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// A right secret stops early, and of slow kinds is computed once in a while.
func TestRightSecretsStopEarly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		id, secret, secretID string
		computations         int
	}{
		{"plain", phrase, "1", 0},
		{"generated", phrase, "1", 0},
		{"argon2id", phrase, "1", 1},
		{"mixed", phrase, "1", 1},
		{"mixed", phrase + " plain", "2", 0},
		{"pbkdf2", phrase, "1", 1},
	} {
		f := newFixture(t, everyKind(t)...)
		for _, method := range []Method{SecretBasic, SecretPost} {
			got, err := f.Authenticate(context.Background(), Credentials{Method: method, ClientID: test.id, Secret: test.secret})
			if err != nil {
				t.Fatalf("%s: %v", test.id, err)
			}
			if got.Client().ID != test.id || got.SecretID() != test.secretID || got.Method() != method {
				t.Errorf("%s: %v, secret %s, %s", test.id, got.Client().ID, got.SecretID(), got.Method())
			}
		}
		total := 0
		for _, count := range f.take() {
			total += count
		}
		if total != test.computations {
			t.Errorf("%s: %d computations, expected %d", test.id, total, test.computations)
		}
	}
}

// Of two secrets with one text, the one that lives lets the client in.
func TestLivingSecretBeforeExpiredOne(t *testing.T) {
	t.Parallel()
	past := start.Add(-time.Hour)
	f := newFixture(t,
		Client{ID: "a", Secrets: []Secret{plainSecret(t, phrase, past), hashedSecret(t, phraseBcrypt, time.Time{})}},
		Client{ID: "b", Secrets: []Secret{hashedSecret(t, phraseBcrypt, past), hashedSecret(t, phraseBcrypt, time.Time{})}},
	)
	for _, id := range []string{"a", "b"} {
		if got, err := f.try(id, phrase); err != nil || got.SecretID() != "2" {
			t.Errorf("%s: secret %s, %v", id, got.SecretID(), err)
		}
	}
}

// Whoever configured the hash of nothing has not opened the client to everyone.
func TestEmptySecretNeverMatches(t *testing.T) {
	t.Parallel()
	nothing, err := bcrypt.GenerateFromPassword(nil, bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(nil)
	f := newFixture(t,
		Client{ID: "fast", Secrets: []Secret{hashedSecret(t, "$sha256$"+base64.RawStdEncoding.EncodeToString(sum[:]), time.Time{})}},
		Client{ID: "slow", Secrets: []Secret{hashedSecret(t, string(nothing), time.Time{})}},
	)
	for _, id := range []string{"fast", "slow"} {
		if _, err := f.try(id, ""); reasonOf(err) != ReasonWrongSecret {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// What the audit log gets of a failure: the reason and what was malformed.
func TestFailureText(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	cause := errors.New("no colon")
	err := f.Reject(t.Context(), Credentials{}, cause)
	if err.Error() != "client authentication failed: malformed: no colon" || !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	if _, err := f.try("nobody", wrong); err.Error() != "client authentication failed: unknown_client" {
		t.Errorf("%v", err)
	}
}
