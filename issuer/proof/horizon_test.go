package proof_test

import (
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// A proof that was used does not become good again because a reload lets proofs
// be older: its mark has ended. Those that were made since are not affected.
func TestLongerAgeBringsNoProofBack(t *testing.T) {
	t.Parallel()
	key, horizon := tokentest.NewKey(t, "ES256"), new(proof.Horizon)
	f := newFixture(t, func(c *proof.Config) { c.Horizon = horizon })
	horizon.Keep(proof.DefaultMaxAge, f.clock())
	used := key.Proof(t, f.claims())
	check := func(raw string) error {
		_, err := f.Check(t.Context(), []string{raw}, tokenRequest())
		return err
	}
	expect(t, check(used), "")
	f.pass(50 * time.Second)
	fresh := key.Proof(t, f.claims())
	f.pass(50 * time.Second)
	expect(t, check(used), proof.CheckTime)

	longer, err := proof.NewChecker(proof.Config{Marks: f.marks, Now: f.clock, Horizon: horizon, MaxAge: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	horizon.Keep(5*time.Minute, f.clock())
	f.Checker = longer
	if err := check(used); err == nil {
		t.Fatal("a used proof passed again")
	}
	expect(t, check(fresh), "")
	f.pass(4 * time.Minute)
	expect(t, check(fresh), proof.CheckReplay)
}

// Without a change, and with a shorter age, nothing is refused that was good.
func TestHorizonOfSameAge(t *testing.T) {
	t.Parallel()
	key, horizon := tokentest.NewKey(t, "ES256"), new(proof.Horizon)
	f := newFixture(t, func(c *proof.Config) { c.Horizon = horizon })
	raw := key.Proof(t, f.claims())
	for _, age := range []time.Duration{time.Minute, time.Minute, 30 * time.Second} {
		horizon.Keep(age, f.clock())
	}
	_, err := f.Check(t.Context(), []string{raw}, tokenRequest())
	expect(t, err, "")
}
