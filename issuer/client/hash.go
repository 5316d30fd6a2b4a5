package client

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// kind is how a secret is kept. The zero kind matches nothing.
type kind uint8

const (
	_            kind = iota
	plain             // [processMAC] of the SHA-256
	plainSHA256       // SHA-256 of 256 random bits
	argon2id          // RFC 9106
	bcryptHash        // bcrypt, any of the minor versions a, b and y
	pbkdf2SHA256      // RFC 8018 with HMAC-SHA256
	pbkdf2SHA512      // RFC 8018 with HMAC-SHA512
)

// class is all that the cost of checking a secret depends on.
type class struct {
	kind    kind
	rounds  int // passes, iterations, or the logarithm of bcrypt's
	memory  int // KiB; argon2id alone
	threads int // lanes, each of which keeps a processor busy; argon2id alone
	length  int // of the hash in bytes; PBKDF2 costs more for longer ones
}

// slow tells whether the class is made to cost time and memory.
func (c class) slow() bool { return c.kind >= argon2id }

// hash is what is kept of a secret.
type hash struct {
	class class
	text  string // the PHC string; empty for a plain secret
	salt  []byte // within text for bcrypt
	sum   []byte // within text for bcrypt
}

// bcryptLimit is how many bytes of a secret bcrypt looks at.
const bcryptLimit = 72

// matchesSlow tells whether the presented text is the secret. It calls compute,
// which is [hash.compute] but for tests, once whatever is presented.
func (h *hash) matchesSlow(presented string, compute func(h *hash, text string) bool) bool {
	usable := presented != ""
	switch h.class.kind {
	case bcryptHash:
		// bcrypt cuts at 72 bytes, and it repeats the secret with a NUL behind
		// it: "ab" and "ab\x00ab" have one hash. Neither may pass for the other.
		usable = usable && len(presented) <= bcryptLimit && !strings.Contains(presented, "\x00")
	case pbkdf2SHA256, pbkdf2SHA512:
		// HMAC fills a short key up with zeros (RFC 2104 section 2): "x" and
		// "x\x00" have one hash.
		usable = usable && !strings.Contains(presented, "\x00")
	}
	if !usable {
		presented = "" // costs what any other does
	}
	return compute(h, presented) && usable
}

// compute hashes the text and compares.
func (h *hash) compute(text string) bool {
	c := h.class
	var sum []byte
	var err error
	switch c.kind {
	case argon2id:
		sum = argon2.IDKey([]byte(text), h.salt, uint32(c.rounds), uint32(c.memory), uint8(c.threads), uint32(c.length))
	case pbkdf2SHA256:
		sum, err = pbkdf2.Key(sha256.New, text, h.salt, c.rounds, c.length)
	case pbkdf2SHA512:
		sum, err = pbkdf2.Key(sha512.New, text, h.salt, c.rounds, c.length)
	case bcryptHash:
		return bcrypt.CompareHashAndPassword([]byte(h.text), []byte(text)) == nil
	default:
		return false
	}
	return err == nil && subtle.ConstantTimeCompare(sum, h.sum) == 1
}

// processMAC makes the hashes of plain secrets.
var processMAC = newMAC()

// digests are a presented secret as the fast kinds keep it.
type digests struct{ plain, sha256 [sha256.Size]byte }

// digestsOf hashes the secret.
func digestsOf(presented string) *digests {
	found := &digests{sha256: sha256.Sum256([]byte(presented))}
	found.plain = keyed(found.sha256[:])
	return found
}

// keyed is what is kept of a plain secret, made of its SHA-256: so that a secret
// of either fast kind can be told to be the same as one of the other. What is
// hashed is the message of the HMAC and never its key, which would be filled up
// with zeros.
func keyed(sum []byte) [sha256.Size]byte { return processMAC.sum(sum) }

// matchesFast compares with a presented secret's digests.
func (h *hash) matchesFast(presented *digests) bool {
	switch h.class.kind {
	case plain:
		return subtle.ConstantTimeCompare(presented.plain[:], h.sum) == 1
	case plainSHA256:
		return subtle.ConstantTimeCompare(presented.sha256[:], h.sum) == 1
	}
	return false
}

func randomBytes(count int) []byte {
	random := make([]byte, count)
	_, _ = rand.Read(random) // never fails: crypto/rand ends the process instead
	return random
}
