package client

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// Hashes that other implementations made: Python's hashlib, libxcrypt's
// crypt(3), and the test vectors of the argon2 reference implementation.
func TestKnownAnswers(t *testing.T) {
	t.Parallel()
	const salt = "c2l4dGVlbiBieXRlIHNsdA$"
	for _, test := range []struct{ phc, secret string }{
		{phraseArgon2id, phrase},
		{"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"},
		{"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password"},
		{phraseBcrypt, phrase},
		{"$2a$" + phraseBcrypt[4:], phrase},
		{"$2y$" + phraseBcrypt[4:], phrase},
		// Bits that are left over in the salt's last character, as old libraries set them.
		{strings.Replace(phraseBcrypt, "uu7EJ", "uv7EJ", 1), phrase},
		{phrasePBKDF2, phrase},
		{"$pbkdf2-sha256$i=1000,l=32$" + salt + "oh3KTrVmn7sLeAda9z9YjLPL9nJa1j1YRWDrfBCZGBs", "pässwörd-of-ünicode"},
		{"$pbkdf2-sha256$i=1000,l=64$" + salt + "BaruwSbpHYJRQRMzlz9t09usJ2bfLKNK+A6dm04mJumQvGgVjsHkTI/PbbuuwU+I5H7YpbQCNGnTMEaOwux/YQ", phrase},
		{"$pbkdf2-sha512$i=1000,l=16$" + salt + "3QMwrxLg4/X2UcnWiHG3oA", phrase},
		{"$pbkdf2-sha512$i=1000,l=64$" + salt + "3QMwrxLg4/X2UcnWiHG3oGtaw1Sr4coKsAAOWMiR/640yePfdIno4J23vNuKz9ZkADlvSFRe8oUd+qOpwSH1Ww", phrase},
		{phraseSHA256, phrase},
	} {
		t.Run(test.phc[:20], func(t *testing.T) {
			t.Parallel()
			kept := hashedSecret(t, test.phc, time.Time{}).hash
			matches := func(presented string) bool {
				if kept.class.slow() {
					return kept.matchesSlow(presented, (*hash).compute)
				}
				return kept.matchesFast(digestsOf(presented))
			}
			if !matches(test.secret) {
				t.Errorf("%s does not match its secret", test.phc)
			}
			for _, wrong := range []string{"", "\x00", test.secret + "\x00", test.secret + " ", test.secret[1:], strings.ToUpper(test.secret)} {
				if matches(wrong) {
					t.Errorf("%s matches %q", test.phc, wrong)
				}
			}
		})
	}
}

// bcrypt looks at 72 bytes and repeats shorter secrets with a NUL between:
// what it takes for the same must not be the same here.
func TestBcryptTraps(t *testing.T) {
	t.Parallel()
	hashOf := func(text string) *hash {
		phc, err := bcrypt.GenerateFromPassword([]byte(text), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		secret := hashedSecret(t, string(phc), time.Time{})
		return &secret.hash
	}
	longest := strings.Repeat("0123456789ab", 6)
	if kept := hashOf(longest); !kept.matchesSlow(longest, (*hash).compute) || kept.matchesSlow(longest+"x", (*hash).compute) {
		t.Error("72 bytes must match, and nothing longer that begins with them")
	}
	short := "exactly-sixteen."
	kept := hashOf(short)
	cyclic := short + "\x00" + short
	if !kept.compute(cyclic) {
		t.Error("bcrypt no longer repeats its key: this test is void")
	}
	if kept.matchesSlow(cyclic, (*hash).compute) {
		t.Error("a repeated secret matches")
	}
	if hashOf("").matchesSlow("", (*hash).compute) {
		t.Error("the empty secret matches")
	}
}

// HMAC fills its key up with zeros: PBKDF2 takes "x" and "x\x00" for the same.
func TestPBKDF2Trap(t *testing.T) {
	t.Parallel()
	kept := hashedSecret(t, phrasePBKDF2, time.Time{}).hash
	if !kept.compute(phrase + "\x00") {
		t.Error("PBKDF2 no longer pads its key: this test is void")
	}
	if kept.matchesSlow(phrase+"\x00", (*hash).compute) {
		t.Error("a secret with a NUL behind it matches")
	}
}

// What has no hash matches nothing: the zero value must not be a way in.
func TestZeroHashMatchesNothing(t *testing.T) {
	t.Parallel()
	var none hash
	for _, presented := range []string{"", phrase} {
		if none.matchesSlow(presented, (*hash).compute) || none.matchesFast(digestsOf(presented)) {
			t.Errorf("the zero hash matches %q", presented)
		}
	}
}

// What can match nothing is computed all the same, with a stand-in: neither
// its length nor a missing computation shows in the time that a refusal takes.
func TestUnusableSecretsCostTheSame(t *testing.T) {
	t.Parallel()
	for _, phc := range []string{phraseArgon2id, phraseBcrypt, phrasePBKDF2} {
		kept := hashedSecret(t, phc, time.Time{}).hash
		unusable := []string{""}
		if kept.class.kind != argon2id {
			unusable = append(unusable, "\x00", phrase+"\x00")
		}
		if kept.class.kind == bcryptHash {
			unusable = append(unusable, strings.Repeat("x", 73))
		}
		for _, presented := range unusable {
			var computed []string
			match := kept.matchesSlow(presented, func(_ *hash, text string) bool {
				computed = append(computed, text)
				return true // even a hash that fits is no match
			})
			if match || len(computed) != 1 || computed[0] != "" {
				t.Errorf("%s: %q: match %v, computed %q", phc, presented, match, computed)
			}
		}
	}
}
