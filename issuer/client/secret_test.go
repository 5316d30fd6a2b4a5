package client

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// phrase is the secret that the known answers in this package's tests are of.
const phrase = "correct horse battery staple"

const (
	phraseArgon2id = "$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbiBieXRlIHNsdA$Z+98165R4iHvsG27Rlx3gyzFZgg8++N/obLS6oueJwQ"
	phraseBcrypt   = "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG"
	phrasePBKDF2   = "$pbkdf2-sha256$i=1000,l=32$c2l4dGVlbiBieXRlIHNsdA$BaruwSbpHYJRQRMzlz9t09usJ2bfLKNK+A6dm04mJuk"
	phraseSHA256   = "$sha256$xLvLH77JnWW/WdhcjLYu4tuWPw/hBvSD2a+nO9Tjmoo"
)

func plainSecret(t testing.TB, text string, expires time.Time) Secret {
	t.Helper()
	secret, err := NewPlainSecret("", text, expires)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func hashedSecret(t testing.TB, phc string, expires time.Time) Secret {
	t.Helper()
	secret, err := NewHashedSecret("", phc, expires)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// Short and unreadable secrets are refused, in words that do not hold them.
func TestNewPlainSecretRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":       "",
		"15 bytes":    "fifteen-bytes-x",
		"not UTF-8":   "sixteen bytes or more \xff",
		"15 of UTF-8": "äöüäöüäx",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret, err := NewPlainSecret("1", text, time.Time{})
			if err == nil {
				t.Fatal("accepted")
			}
			if text != "" && strings.Contains(err.Error(), text) {
				t.Errorf("the error %q holds the secret", err)
			}
			if secret.hash.class.kind != 0 {
				t.Error("an error came with a secret")
			}
		})
	}
	if _, err := NewPlainSecret("1", "sixteen-bytes-xx", time.Time{}); err != nil {
		t.Errorf("16 bytes: %v", err)
	}
}

// A secret is the message of the HMAC: as its key, it would be filled up with
// zeros, or hashed where it is long, and other texts would match too.
func TestPlainSecretMatchesItselfAlone(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long secret ", 20)
	for _, text := range []string{phrase, long, "pässwörter im Überfluss", "with\x00NUL in the middle"} {
		secret := plainSecret(t, text, time.Time{})
		if !secret.hash.matchesFast(digestsOf(text)) {
			t.Errorf("%q does not match itself", text)
		}
		hashed := digestsOf(text).sha256
		for _, other := range []string{"", text + "\x00", text + " ", text[1:], strings.ToUpper(text), string(hashed[:])} {
			if secret.hash.matchesFast(digestsOf(other)) {
				t.Errorf("%q matches %q", text, other)
			}
		}
	}
}

// Whoever prints a client, a secret or credentials shows no secret and no hash.
func TestNothingPrintsSecrets(t *testing.T) {
	t.Parallel()
	holder := Client{ID: "batch", Secrets: []Secret{plainSecret(t, phrase, time.Time{}), hashedSecret(t, phraseBcrypt, time.Time{})}}
	credentials := Credentials{Method: SecretPost, ClientID: phrase, Secret: phrase}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{holder, &holder, holder.Secrets[1], credentials, &credentials} {
			text := fmt.Sprintf(verb, value)
			for _, hidden := range []string{phrase, fmt.Sprintf("%x", phrase), "EJV7", fmt.Sprintf("%x", "EJV7"), "class"} {
				if strings.Contains(text, hidden) {
					t.Errorf("%s of %T shows %q: %s", verb, value, hidden, text)
				}
			}
		}
	}
	for _, value := range []any{holder, credentials} {
		text, err := json.Marshal(value)
		if err != nil || strings.Contains(string(text), phrase) || strings.Contains(string(text), "EJV7") {
			t.Errorf("JSON of %T: %s, %v", value, text, err)
		}
	}
}

// "expires" is the first moment at which a secret is refused.
func TestSecretLive(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		expires time.Time
		want    bool
	}{
		"never":  {time.Time{}, true},
		"later":  {noon.Add(time.Nanosecond), true},
		"now":    {noon, false},
		"before": {noon.Add(-time.Hour), false},
	} {
		secret := Secret{Expires: test.expires}
		if got := secret.live(noon); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
