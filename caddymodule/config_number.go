package caddymodule

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// Numbers of which the zero value stands for the default. One that somebody
// wrote is a mistake, as in a Caddyfile, and must not become the default.

// Duration is a Caddy duration above zero.
type Duration caddy.Duration

// writtenZero stands for a zero in the JSON until the checker, which knows where
// it stands, has refused it.
const writtenZero Duration = math.MinInt64

// UnmarshalJSON reads a Caddy duration.
func (d *Duration) UnmarshalJSON(data []byte) error {
	if string(data) == "null" { // left out, as everywhere in JSON
		return nil
	}
	var read caddy.Duration
	if err := json.Unmarshal(data, &read); err != nil {
		return fmt.Errorf("%s: expected a duration, such as \"10m\" or \"30d\": %w", data, err)
	}
	*d = cmp.Or(Duration(read), writtenZero)
	return nil
}

// written is the duration as somebody wrote it.
func (d Duration) written() time.Duration {
	if d == writtenZero {
		return 0
	}
	return time.Duration(d)
}

// Count is a number above zero.
type Count int

// UnmarshalJSON reads a number.
func (c *Count) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var number int
	if err := json.Unmarshal(data, &number); err != nil || number < 1 {
		return fmt.Errorf("token_failures: count %s: expected a number above 0", data)
	}
	*c = Count(number)
	return nil
}

// RotationPeriod is a Caddy duration or the word "never".
type RotationPeriod caddy.Duration

// NeverRotate is the period "never".
const NeverRotate RotationPeriod = -1

// UnmarshalJSON reads a Caddy duration or "never".
func (p *RotationPeriod) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case `"never"`:
		*p = NeverRotate
		return nil
	case "null":
		return nil
	}
	var duration caddy.Duration
	if err := json.Unmarshal(data, &duration); err != nil {
		return fmt.Errorf("rotate_every: expected a duration or \"never\": %w", err)
	}
	if duration <= 0 {
		return fmt.Errorf("rotate_every %q: expected a positive duration or \"never\"", time.Duration(duration))
	}
	*p = RotationPeriod(duration)
	return nil
}

// MarshalJSON writes what [RotationPeriod.UnmarshalJSON] reads.
func (p RotationPeriod) MarshalJSON() ([]byte, error) {
	if p == NeverRotate {
		return []byte(`"never"`), nil
	}
	return json.Marshal(caddy.Duration(p))
}
