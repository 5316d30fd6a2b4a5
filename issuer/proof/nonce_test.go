package proof_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// Nonces come from the server, rotate, and are good for five to ten minutes
// (RFC 9449 section 8).
func TestNonce(t *testing.T) {
	t.Parallel()
	docs := store.NewMemory()
	var nonces *proof.Nonces
	f := newFixture(t, func(c *proof.Config) {
		nonces = proof.NewNonces(c.Now)
		c.Nonces = nonces
	})
	key := tokentest.NewKey(t, "ES256")
	try := func(nonce any) (proof.Proven, error) {
		return f.Check(t.Context(), []string{key.Proof(t, f.claims().With(tokentest.Members{"nonce": nonce}))}, tokenRequest())
	}
	for _, nonce := range []any{nil, "", "x"} {
		_, err := try(nonce)
		expect(t, err, proof.CheckNonce) // there is no secret yet
	}
	if err := nonces.Make(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	first := f.NewNonce()
	for _, nonce := range []any{nil, "", "x", first[1:], first + "A"} {
		_, err := try(nonce)
		expect(t, err, proof.CheckNonce)
	}
	if proven, err := try(first); err != nil || proven.Nonce != "" {
		t.Fatalf("got %+v, %v", proven, err)
	}
	if proven, err := try(first); err != nil || proven.Nonce != "" {
		t.Fatalf("a nonce is good more than once: got %+v, %v", proven, err)
	}
	f.pass(5 * time.Minute)
	second := f.NewNonce()
	if proven, err := try(first); err != nil || proven.Nonce != second || second == first {
		t.Fatalf("the former nonce: got %+v, %v", proven, err)
	}
	f.pass(5 * time.Minute)
	_, err := try(first)
	expect(t, err, proof.CheckNonce)
}

// Every instance on one store knows the nonces of the others, and a restart
// forgets none.
func TestNonceSecretIsShared(t *testing.T) {
	t.Parallel()
	docs, now := store.NewMemory(), func() time.Time { return time.Unix(1_800_000_000, 0) }
	first, second, other := proof.NewNonces(now), proof.NewNonces(now), proof.NewNonces(now)
	if err := second.Load(t.Context(), docs); err != nil || second.Ready() || second.Current() != "" {
		t.Fatalf("nothing is stored: %v", err)
	}
	if err := errors.Join(first.Make(t.Context(), docs), second.Load(t.Context(), docs), other.Make(t.Context(), store.NewMemory())); err != nil {
		t.Fatal(err)
	}
	if good, current := second.Check(first.Current()); !good || !current {
		t.Fatal("the secret is not shared")
	}
	if good, _ := other.Check(first.Current()); good {
		t.Fatal("a nonce of another store is good")
	}
	late := proof.NewNonces(func() time.Time { return now().Add(-20 * time.Second) })
	ahead := proof.NewNonces(func() time.Time { return now().Add(6 * time.Minute) })
	if err := errors.Join(late.Load(t.Context(), docs), ahead.Load(t.Context(), docs)); err != nil {
		t.Fatal(err)
	}
	if good, _ := late.Check(first.Current()); !good {
		t.Fatal("a clock that is 20 s behind")
	}
	if good, _ := first.Check(ahead.Current()); !good {
		t.Fatal("a nonce of the next period")
	}
}

// A document that cannot be read stops the load, and is not replaced.
func TestNonceDocumentIsReadStrictly(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":          "",
		"not JSON":       "{",
		"no secret":      "{}",
		"short":          `{"secret":"AAAA"}`,
		"padded":         `{"secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`,
		"unknown member": `{"secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","x":1}`,
		"in capitals":    `{"SECRET":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`,
		"twice":          `{"secret":"AAAA","secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			docs := store.NewMemory()
			put(t, docs, text)
			nonces := proof.NewNonces(time.Now)
			if nonces.Load(t.Context(), docs) == nil || nonces.Make(t.Context(), docs) == nil || nonces.Ready() {
				t.Fatal("it was read")
			}
			if after, err := docs.Load(t.Context(), proof.NonceDocument); err != nil || string(after) != text {
				t.Fatalf("it was replaced by %q, %v", after, err)
			}
		})
	}
}

func put(t *testing.T, docs store.Documents, text string) {
	t.Helper()
	err := docs.Update(t.Context(), proof.NonceDocument, func([]byte) ([]byte, error) { return []byte(text), nil })
	if err != nil {
		t.Fatal(err)
	}
}

// A store that is out of reach is an error, and no secret is made up.
func TestNonceStoreFails(t *testing.T) {
	t.Parallel()
	nonces := proof.NewNonces(time.Now)
	if err := nonces.Make(t.Context(), broken{}); err == nil || nonces.Ready() {
		t.Fatal("a secret that no other instance knows")
	}
}

type broken struct{}

func (broken) Load(context.Context, string) ([]byte, error) { return nil, fs.ErrNotExist }

func (broken) Update(context.Context, string, func([]byte) ([]byte, error)) error {
	return errors.New("out of reach")
}
