package client

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

type finder func(ctx context.Context) ([]token.VerificationKey, error)

func (f finder) Find(ctx context.Context, _ string, _ token.Algorithm) ([]token.VerificationKey, error) {
	return f(ctx)
}

// Of an assertion whose keys have never been fetched nobody knows whether it is
// right: it is refused, but it is no guess that counts. Once keys are known, a
// failure to fetch newer ones is like any other.
func TestAssertionWithoutAnyKeys(t *testing.T) {
	t.Parallel()
	key := tokentest.NewKey(t, "ES256")
	for name, test := range map[string]struct {
		err      error
		reason   Reason
		unjudged bool
	}{
		"never fetched":        {fmt.Errorf("fetching: %w", keys.ErrNoSet), ReasonKeysUnknown, true},
		"only newer ones lack": {errors.New("the server is down"), ofAssertion(token.CheckKey), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			held := finder(func(context.Context) ([]token.VerificationKey, error) { return nil, test.err })
			s := signers{fixture: newFixture(t, Client{ID: "batch", Keys: held}), key: key}
			s.AcceptAudience(issuerURL)
			who, err := s.assert(key.Sign(t, nil, s.claims("batch")))
			if reasonOf(err) != test.reason || errors.Is(err, ErrUnjudged) != test.unjudged || who != (Authenticated{}) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// A client that hangs up while its keys are fetched has made no wrong attempt.
func TestAssertionGivenUp(t *testing.T) {
	t.Parallel()
	key := tokentest.NewKey(t, "ES256")
	ctx, cancel := context.WithCancel(t.Context())
	held := finder(func(ctx context.Context) ([]token.VerificationKey, error) {
		cancel()
		return nil, fmt.Errorf("fetching: %w", ctx.Err())
	})
	s := signers{fixture: newFixture(t, Client{ID: "batch", Keys: held}), key: key}
	s.AcceptAudience(issuerURL)
	credentials, err := FromAssertion(key.Sign(t, nil, s.claims("batch")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(ctx, credentials); errors.Is(err, ErrInvalidClient) || !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

// Who measures signature checks does not learn how many keys a client has, or
// whether there is one: one check where the key is named, two where it is not.
func TestAssertionChecksAsManyKeys(t *testing.T) {
	t.Parallel()
	key := tokentest.NewKey(t, "ES256")
	read := func(header tokentest.Members) *token.Assertion {
		assertion, err := token.ReadAssertion(key.Sign(t, header, tokentest.Members{"sub": "batch"}))
		if err != nil {
			t.Fatal(err)
		}
		return assertion
	}
	for _, test := range []struct {
		assertion *token.Assertion
		counts    [3]int // for a client with no key, one, two
	}{
		{read(tokentest.Members{"kid": "x"}), [3]int{1, 1, 2}},
		{read(nil), [3]int{2, 2, 2}},
	} {
		for known, want := range test.counts {
			found := make([]token.VerificationKey, known, known+2)
			if got := len(padded(found, test.assertion)); got != want {
				t.Errorf("kid %q, %d keys: %d checks, expected %d", test.assertion.KeyID, known, got, want)
			}
			if spare := found[:cap(found)]; len(spare) > known && spare[known].Public != nil {
				t.Error("what the client's keys are was written over")
			}
		}
	}
}
