package client

import (
	"strings"
	"testing"
	"time"
)

// What HashSecret makes can be configured, lets the secret in and nothing else,
// and costs a guesser what the kind of secret needs.
func TestHashSecret(t *testing.T) {
	t.Parallel()
	for text, form := range map[string]string{
		known:                           "$sha256$",
		known[:len(known)-1] + "L":      "$argon2id$v=19$m=19456,t=2,p=1$", // its checksum is wrong: it may be chosen
		"exactly 16 bytes":              "$argon2id$v=19$m=19456,t=2,p=1$",
		"sixteen bytes with a line\n":   "$argon2id$v=19$m=19456,t=2,p=1$",
		strings.Repeat("pässwörter", 9): "$argon2id$v=19$m=19456,t=2,p=1$",
	} {
		phc, err := HashSecret(text)
		if err != nil || !strings.HasPrefix(phc, form) {
			t.Fatalf("%q: %s %v", text, phc, err)
		}
		secret, err := NewHashedSecret("", phc, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for presented, want := range map[string]bool{text: true, text + " ": false, text[1:]: false, "": false} {
			matches := secret.hash.class.slow() && secret.hash.matchesSlow(presented, (*hash).compute) ||
				!secret.hash.class.slow() && secret.hash.matchesFast(digestsOf(presented))
			if matches != want {
				t.Errorf("%q against the hash of %q: %v", presented, text, matches)
			}
		}
		if again, _ := HashSecret(text); (again == phc) != (form == "$sha256$") {
			t.Errorf("%q: the salt is the same", text)
		}
	}
}

func TestHashSecretRefuses(t *testing.T) {
	t.Parallel()
	for text, expected := range map[string]string{
		"": "at least 16", "fifteen bytes..": "at least 16", "cc_short": "at least 16", "sixteen bytes of \xff": "UTF-8",
	} {
		phc, err := HashSecret(text)
		if err == nil || phc != "" || !strings.Contains(err.Error(), expected) || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %s %v", text, phc, err)
		}
	}
}
