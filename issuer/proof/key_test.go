package proof_test

import (
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// A key that was good before opens nothing: all else of a proof is judged as if it had
// never come.
func TestKnownKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	key, other := tokentest.NewKey(t, "RS256"), tokentest.NewKey(t, "RS256")
	header := tokentest.Members{"typ": "dpop+jwt", "alg": "RS256", "jwk": key.JWK()}
	for range 2 {
		proven, err := f.Check(t.Context(), []string{key.Sign(t, header, f.claims())}, tokenRequest())
		if err != nil || proven.Thumbprint != key.Thumbprint(t) {
			t.Fatalf("got %+v, %v", proven, err)
		}
	}
	bound := tokenRequest()
	bound.Thumbprint = other.Thumbprint(t)
	for name, c := range map[string]struct {
		signer   tokentest.Key
		header   tokentest.Members
		want     *proof.Request
		expected proof.Check
	}{
		"good":                       {key, header, tokenRequest(), ""},
		"signed by another":          {other, header, tokenRequest(), proof.CheckSignature},
		"for a token of another":     {key, header, bound, proof.CheckBinding},
		"with another alg":           {key, header.With(tokentest.Members{"alg": "PS256"}), tokenRequest(), proof.CheckSignature},
		"with an alg of other keys":  {key, header.With(tokentest.Members{"alg": "ES256"}), tokenRequest(), proof.CheckKey},
		"with its private half":      {key, header.With(tokentest.Members{"jwk": key.PrivateJWK()}), tokenRequest(), proof.CheckKey},
		"that is for encryption now": {key, header.With(tokentest.Members{"jwk": key.JWK().With(tokentest.Members{"use": "enc"})}), tokenRequest(), proof.CheckKey},
		"that is for PS256 now":      {key, header.With(tokentest.Members{"jwk": key.JWK().With(tokentest.Members{"alg": "PS256"})}), tokenRequest(), proof.CheckKey},
	} {
		_, err := f.Check(t.Context(), []string{c.signer.Sign(t, c.header, f.claims())}, c.want)
		if expect(t, err, c.expected); t.Failed() {
			t.Fatal(name)
		}
	}
}
