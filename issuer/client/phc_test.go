package client

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Only the exact forms of the documentation are taken; a configured hash
// cannot make a request cost minutes or gigabytes; errors quote no hash.
func TestNewHashedSecretRefuses(t *testing.T) {
	t.Parallel()
	encoded := func(count int) string {
		return base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("s", count)))
	}
	argon := func(parameters string, salt, sum int) string {
		return "$argon2id$v=19$" + parameters + "$" + encoded(salt) + "$" + encoded(sum)
	}
	pbkdf := func(parameters string, salt, sum int) string {
		return "$pbkdf2-sha256$" + parameters + "$" + encoded(salt) + "$" + encoded(sum)
	}
	const sum53 = "abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG"
	for _, test := range []struct{ phc, expected string }{
		{"", "begin with"},
		{"$", "begin with"},
		{phrase, "begin with"},
		{phraseSHA256[1:], "begin with"},
		{"$" + phraseSHA256, "begin with"},
		{" " + phraseSHA256, "begin with"},
		{"$argon2i$v=19$m=64,t=1,p=1$" + encoded(16) + "$" + encoded(32), "begin with"},
		{"$argon2d$v=19$m=64,t=1,p=1$" + encoded(16) + "$" + encoded(32), "begin with"},
		{"$scrypt$ln=16,r=8,p=1$" + encoded(16) + "$" + encoded(32), "begin with"},
		{"$pbkdf2$i=1000,l=32$" + encoded(16) + "$" + encoded(32), "begin with"},
		{"$SHA256$" + encoded(32), "begin with"},
		{"$2$04$" + sum53, "begin with"},
		{"$2x$04$" + sum53, "begin with"}, // a known weakness
		{"$argon2id", "begin with"},
		{"$argon2id$", "argon2id: expected $argon2id$"},
		{"$argon2id$m=64,t=1,p=1$" + encoded(16) + "$" + encoded(32), "v=19"},
		{strings.Replace(argon("m=64,t=1,p=1", 16, 32), "v=19", "v=16", 1), "v=19"},
		{argon("m=64,t=1,p=1", 16, 32) + "$", "v=19"},
		{argon("m=64,t=1", 16, 32), "parameter p at position 3"},
		{argon("t=1,m=64,p=1", 16, 32), "parameter m at position 1"},
		{argon("m=64,t=1,p=1,keyid=AA", 16, 32), "3 parameters"},
		{argon("m=64,t=1,p=1,", 16, 32), "3 parameters"},
		{argon("m=064,t=1,p=1", 16, 32), "parameter m"},
		{argon("m=+64,t=1,p=1", 16, 32), "parameter m"},
		{argon("m=,t=1,p=1", 16, 32), "parameter m"},
		{argon("m=7,t=1,p=1", 16, 32), "from 8 to 1048576"},
		{argon("m=1048577,t=1,p=1", 16, 32), "from 8 to 1048576"},
		{argon("m=99999999999999999999,t=1,p=1", 16, 32), "from 8 to 1048576"},
		{argon("m=64,t=0,p=1", 16, 32), "parameter t: expected a number from 1 to 64"},
		{argon("m=64,t=65,p=1", 16, 32), "parameter t"},
		{argon("m=1048576,t=64,p=64", 16, 32), "m times t to be at most 1048576, such as"},
		{argon("m=1048576,t=2,p=1", 16, 32), "m times t"},
		{argon("m=16385,t=64,p=1", 16, 32), "m times t"},
		{argon("m=64,t=1,p=0", 16, 32), "parameter p"},
		{argon("m=1024,t=1,p=65", 16, 32), "parameter p"},
		{argon("m=15,t=1,p=2", 16, 32), "8 times p"},
		{argon("m=64,t=1,p=1", 7, 32), "salt: expected 8 to 64 bytes, found 7"},
		{argon("m=64,t=1,p=1", 65, 32), "salt: expected 8 to 64"},
		{argon("m=64,t=1,p=1", 16, 15), "hash: expected 16 to 64"},
		{argon("m=64,t=1,p=1", 16, 65), "hash: expected 16 to 64"},
		{argon("m=64,t=1,p=1", 16, 32) + "=", "without padding"},
		{argon("m=64,t=1,p=1", 16, 32) + "\n", "without padding"},
		{phraseArgon2id[:len(phraseArgon2id)-1] + "R", "hash: expected base64"}, // bits left over
		{strings.Replace(phraseArgon2id, "+", "-", 1), "standard alphabet"},
		{"$pbkdf2-sha256$", "three parts"},
		{pbkdf("i=1000,l=32", 16, 32) + "$", "three parts"},
		{pbkdf("l=32,i=1000", 16, 32), "parameter i at position 1"},
		{pbkdf("i=1000", 16, 32), "parameter l at position 2"},
		{pbkdf("1000", 16, 32), "parameter i"},
		{pbkdf("i=999,l=32", 16, 32), "from 1000 to 10000000"},
		{pbkdf("i=10000001,l=32", 16, 32), "from 1000 to 10000000"},
		{pbkdf("i=1000,l=33", 16, 32), "as many bytes as l says"},
		{pbkdf("i=1000,l=15", 16, 15), "from 16 to 64"},
		{pbkdf("i=1000,l=65", 16, 65), "from 16 to 64"},
		{pbkdf("i=1000,l=32", 7, 32), "salt"},
		{"$sha256$", "expected 32 bytes, found 0"},
		{"$sha256$" + encoded(31), "expected 32 bytes, found 31"},
		{"$sha256$" + encoded(33), "expected 32 bytes, found 33"},
		{"$sha256$" + encoded(32) + "$", "base64"},
		{"$2b$3$" + sum53, "60 characters"},
		{"$2b$03$" + sum53, "cost: expected a number from 4 to 16"},
		{"$2b$00$" + sum53, "cost"},
		{"$2b$17$" + sum53, "cost"},
		{"$2b$31$" + sum53, "cost"},
		{"$2b$+4$" + sum53, "cost"},
		{"$2b$ 4$" + sum53, "cost"},
		{"$2b$04$" + sum53[1:], "60 characters"},
		{"$2b$04$" + sum53 + ".", "60 characters"},
		{"$2b$04$" + "=" + sum53[1:], "salt"},
		{"$2b$04$" + "\n" + sum53[1:], "salt"},
		{"$2b$04$" + "\n\n" + sum53[2:], "salt"}, // what is left is base64
		{"$2b$04$" + sum53[:51] + ".\n", "bcrypt's base64"},
		{"$2b$04$" + sum53[:52] + "$", "hash"},
		{"$2b$04$" + sum53[:52] + "H", "hash"}, // bits left over: would match nothing
	} {
		secret, err := NewHashedSecret("1", test.phc, time.Time{})
		if err == nil {
			t.Errorf("%q: accepted", test.phc)
			continue
		}
		if !strings.Contains(err.Error(), test.expected) {
			t.Errorf("%q: %q does not say %q", test.phc, err, test.expected)
		}
		if last := test.phc[strings.LastIndexByte(test.phc, '$')+1:]; len(last) > 8 && strings.Contains(err.Error(), last) {
			t.Errorf("%q quotes the hash", err)
		}
		if secret.hash.class.kind != 0 {
			t.Errorf("%q: an error came with a secret", test.phc)
		}
	}
}

// The bounds themselves are within.
func TestNewHashedSecretBounds(t *testing.T) {
	t.Parallel()
	salt, sum := strings.Repeat("A", 86), strings.Repeat("A", 86) // 64 bytes
	for _, phc := range []string{
		"$argon2id$v=19$m=1048576,t=1,p=64$" + salt + "$" + sum,
		"$argon2id$v=19$m=16384,t=64,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + sum,
		"$pbkdf2-sha512$i=10000000,l=64$" + salt + "$" + sum,
		"$pbkdf2-sha256$i=1000,l=16$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$2a$16$" + phraseBcrypt[7:],
	} {
		if _, err := NewHashedSecret("1", phc, time.Time{}); err != nil {
			t.Errorf("%s: %v", phc, err)
		}
	}
}

// What others recommend is taken: OWASP's sets of parameters, the second of
// RFC 9106 section 4, and libsodium's "moderate".
func TestRecommendedArgon2id(t *testing.T) {
	t.Parallel()
	for _, parameters := range []string{
		"m=47104,t=1,p=1", "m=19456,t=2,p=1", "m=12288,t=3,p=1", "m=9216,t=4,p=1", "m=7168,t=5,p=1", "m=65536,t=3,p=4", "m=262144,t=3,p=1",
	} {
		if _, err := NewHashedSecret("1", strings.Replace(phraseArgon2id, "m=64,t=1,p=1", parameters, 1), time.Time{}); err != nil {
			t.Errorf("%s: %v", parameters, err)
		}
	}
}

// A success means that the parts spell the very text again, within bounds; an
// error comes without a secret and quotes nothing of it.
func FuzzNewHashedSecret(f *testing.F) {
	for _, seed := range []string{phraseArgon2id, phraseBcrypt, phrasePBKDF2, phraseSHA256, "$2y$" + phraseBcrypt[4:],
		strings.Replace(phrasePBKDF2, "256", "512", 1), "", "$", "$argon2id$v=19$m=8,t=1,p=1$$", "$sha256$\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, phc string) {
		secret, err := NewHashedSecret("1", phc, time.Time{})
		if err != nil {
			if secret.hash.class.kind != 0 || secret.hash.text != "" {
				t.Error("an error came with a secret")
			}
			last := phc[strings.LastIndexByte(phc, '$')+1:]
			if len(last) > 16 && strings.Contains(err.Error(), last) {
				t.Errorf("%q quotes the hash", err)
			}
			return
		}
		if again := spell(secret.hash); again != phc {
			t.Errorf("%q is read as %q", phc, again)
		}
	})
}

func spell(h hash) string {
	encode := base64.RawStdEncoding.EncodeToString
	c := h.class
	switch c.kind {
	case argon2id:
		return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", c.memory, c.rounds, c.threads, encode(h.salt), encode(h.sum))
	case pbkdf2SHA256:
		return fmt.Sprintf("$pbkdf2-sha256$i=%d,l=%d$%s$%s", c.rounds, c.length, encode(h.salt), encode(h.sum))
	case pbkdf2SHA512:
		return fmt.Sprintf("$pbkdf2-sha512$i=%d,l=%d$%s$%s", c.rounds, c.length, encode(h.salt), encode(h.sum))
	case plainSHA256:
		return "$sha256$" + encode(h.sum)
	case bcryptHash:
		return fmt.Sprintf("%s%02d$%s", h.text[:4], c.rounds, h.text[7:])
	}
	return "a kind that no hash has"
}
