package keys

import (
	"fmt"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// MaxDuration is the longest duration that is taken, 20 years: more is a
// mistake, and sums of a few stay far from what a time.Duration holds.
const MaxDuration = 20 * 365 * 24 * time.Hour

// Config says what keys are made and when they change.
type Config struct {
	// Algorithm is that of new keys. Where the key that signs has another one,
	// the next key is made at once. Needed.
	Algorithm token.Algorithm

	// RotateEvery is how long a key signs before the next one takes over.
	// 0: until the algorithm changes.
	RotateEvery time.Duration

	// PublishAhead is how long a key is published before it signs, so that
	// everyone who caches the JWKS has seen it. The very first key does not wait.
	// Where it is longer than RotateEvery, it decides how often keys change.
	PublishAhead time.Duration

	// LongestLifetime is the longest life of any token that this configuration
	// can issue: keys stay published so long after they last signed. Needed.
	LongestLifetime time.Duration
}

func (c Config) validate() error {
	if _, err := token.ParseAlgorithm(string(c.Algorithm)); err != nil {
		return err
	}
	for _, limit := range []struct {
		name            string
		value, smallest time.Duration
	}{
		{"rotate every", c.RotateEvery, 0},
		{"publish ahead", c.PublishAhead, 0},
		{"longest lifetime of a token", c.LongestLifetime, 1},
	} {
		if limit.value < limit.smallest || limit.value > MaxDuration {
			return fmt.Errorf("%s: %v: expected %v to %v", limit.name, limit.value, limit.smallest, MaxDuration)
		}
	}
	return nil
}
