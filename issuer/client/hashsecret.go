package client

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// What [HashSecret] makes argon2id hashes with: the first choice of OWASP's
// cheat sheet for password storage, 19 MiB and two passes.
const (
	newMemory  = 19456 // KiB
	newRounds  = 2
	newThreads = 1
	newSalt    = 16 // bytes
	newSum     = 32 // bytes
)

// HashSecret returns a new hash of a secret in the form that [NewHashedSecret]
// takes: $sha256$ for one that [IsGenerated], and $argon2id$ with a salt of its
// own for any other, which a person may have chosen. It refuses what
// [NewPlainSecret] refuses; errors do not quote the secret.
func HashSecret(text string) (phc string, err error) {
	if err := checkText(text); err != nil {
		return "", err
	}
	if IsGenerated(text) {
		sum := sha256.Sum256([]byte(text))
		return "$sha256$" + base64.RawStdEncoding.EncodeToString(sum[:]), nil
	}
	salt := randomBytes(newSalt)
	sum := argon2.IDKey([]byte(text), salt, newRounds, newMemory, newThreads, newSum)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, newMemory, newRounds, newThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum)), nil
}
