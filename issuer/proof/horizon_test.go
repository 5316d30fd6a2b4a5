package proof_test

import (
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// aging is a checker whose configuration changes as by a reload.
type aging struct {
	*fixture
	t       *testing.T
	key     tokentest.Key
	horizon proof.Horizon
	release func(time.Time)
}

func newAging(t *testing.T) *aging {
	a := &aging{fixture: newFixture(t), t: t, key: tokentest.NewKey(t, "ES256")}
	a.keep(time.Minute)
	return a
}

func (a *aging) keep(age time.Duration) {
	a.t.Helper()
	checker, err := proof.NewChecker(proof.Config{Marks: a.marks, Now: a.clock, Horizon: &a.horizon, MaxAge: age})
	if err != nil {
		a.t.Fatal(err)
	}
	former := a.release
	a.release = a.horizon.Keep(age)
	a.Checker = checker
	if former != nil {
		former(a.clock())
	}
}

func (a *aging) made() string { return a.key.Proof(a.t, a.claims()) }

func (a *aging) expect(raw string, want proof.Check) {
	a.t.Helper()
	_, err := a.Check(a.t.Context(), []string{raw}, tokenRequest())
	expect(a.t, err, want)
}

// A proof that was used does not become good again because a reload lets proofs
// be older: neither when its mark has ended by then nor when that ends later.
// What is made from then on may be as old as is allowed.
func TestLongerAgeBringsNoProofBack(t *testing.T) {
	t.Parallel()
	for _, wait := range []time.Duration{0, 30 * time.Second, 59 * time.Second, 61 * time.Second, 4 * time.Minute} {
		a := newAging(t)
		ahead := a.key.Proof(t, a.claims().With(tokentest.Members{"iat": a.now.Load() + 30}))
		used := a.made()
		a.expect(used, "")
		a.expect(ahead, "")
		a.pass(wait)
		a.keep(5 * time.Minute)
		for range 60 {
			for _, raw := range []string{used, ahead} {
				if _, err := a.Check(t.Context(), []string{raw}, tokenRequest()); err == nil {
					t.Fatalf("a proof that was used passed again, after a reload that came %s later", wait)
				}
			}
			a.pass(10 * time.Second)
		}
		fresh := a.made()
		a.pass(299 * time.Second)
		a.expect(fresh, "")
		a.pass(time.Second)
		a.expect(fresh, proof.CheckReplay)
		a.pass(time.Second)
		a.expect(fresh, proof.CheckTime)
	}
}

// Of several reloads, the one that kept marks for the shortest time counts as
// long as it matters, and no longer.
func TestAgesThatComeAndGo(t *testing.T) {
	t.Parallel()
	a := newAging(t)
	used := a.made()
	a.expect(used, "")
	a.keep(2 * time.Minute)
	a.pass(time.Second)
	a.keep(5 * time.Minute)
	a.pass(70 * time.Second)
	a.expect(used, proof.CheckTime)
	a.pass(10 * time.Minute)
	a.keep(2 * time.Minute)
	old := a.made()
	a.keep(5 * time.Minute)
	a.pass(90 * time.Second)
	a.expect(old, "")
	a.pass(31 * time.Second)
	a.expect(old, proof.CheckTime)
}

// Without a change, and with a shorter age, nothing is refused that was good.
func TestHorizonOfSameAge(t *testing.T) {
	t.Parallel()
	a := newAging(t)
	raw := a.made()
	a.keep(time.Minute)
	a.keep(30 * time.Second)
	a.expect(raw, "")
	a.expect(raw, proof.CheckReplay)
}

// A configuration that is tried and does not come into force changes nothing,
// and while two are in force, the shorter age counts.
func TestReloadThatFails(t *testing.T) {
	t.Parallel()
	a := newAging(t)
	release := a.horizon.Keep(5 * time.Minute)
	longer, err := proof.NewChecker(proof.Config{Marks: a.marks, Now: a.clock, Horizon: &a.horizon, MaxAge: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	used := a.made()
	a.expect(used, "")
	release(a.clock())
	a.pass(61 * time.Second)
	if _, err := longer.Check(t.Context(), []string{used}, tokenRequest()); err == nil {
		t.Fatal("a proof that was used passed in a configuration that did not come into force")
	}
	used = a.made()
	a.expect(used, "")
	a.keep(5 * time.Minute)
	a.pass(61 * time.Second)
	a.expect(used, proof.CheckTime)
}
