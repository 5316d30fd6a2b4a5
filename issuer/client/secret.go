package client

import (
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"
)

// MinPlainSecret is the shortest secret that may be configured as text, in bytes.
const MinPlainSecret = 16

// Secret is one of a client's secrets. It holds a hash and never the text, and
// prints as its ID alone. The zero value matches nothing and no [Registry]
// takes it: use [NewPlainSecret] or [NewHashedSecret].
type Secret struct {
	ID      string    // for lists and logs; empty: its position among the client's, beginning with 1
	Expires time.Time // the first moment at which it is refused; zero: never
	hash    hash
}

// NewPlainSecret returns the secret whose text is known, kept only as a hash
// under a key that this process made up: what memory holds of it is of no use
// elsewhere. The text is UTF-8 of at least [MinPlainSecret] bytes. Errors do
// not quote it.
func NewPlainSecret(id, text string, expires time.Time) (Secret, error) {
	if err := checkText(text); err != nil {
		return Secret{}, err
	}
	sum := digestsOf(text).plain
	return Secret{ID: id, Expires: expires, hash: hash{class: class{kind: plain, length: len(sum)}, sum: sum[:]}}, nil
}

// checkText refuses a text that cannot be a secret, without quoting it.
func checkText(text string) error {
	if len(text) < MinPlainSecret {
		return fmt.Errorf("secret of %d bytes: expected at least %d", len(text), MinPlainSecret)
	}
	if !utf8.ValidString(text) {
		return errors.New("secret: expected UTF-8")
	}
	return nil
}

// NewHashedSecret returns the secret of which only a hash is known, written as
// a PHC string: $argon2id$, $2a$, $2b$, $2y$, $pbkdf2-sha256$, $pbkdf2-sha512$
// or $sha256$. The last is fit for secrets of 256 random bits alone, since
// guesses at it cost next to nothing. Errors do not quote the hash.
func NewHashedSecret(id, phc string, expires time.Time) (Secret, error) {
	parsed, err := parsePHC(phc)
	if err != nil {
		return Secret{}, fmt.Errorf("secret hash: %w", err)
	}
	return Secret{ID: id, Expires: expires, hash: parsed}, nil
}

// live tells whether the secret has not expired at the moment now.
func (s *Secret) live(now time.Time) bool {
	return s.Expires.IsZero() || now.Before(s.Expires)
}

// Format prints the ID alone, whatever the verb: a client that is printed in a
// log or a test failure must not show its hashes, which can be guessed at.
func (s Secret) Format(out fmt.State, _ rune) { _, _ = io.WriteString(out, "secret "+s.ID) }
