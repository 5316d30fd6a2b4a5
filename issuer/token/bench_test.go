package token_test

import (
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

var benched = []token.Algorithm{token.ES256, token.EdDSA, token.RS256}

// usual are the claims of a token as most clients get it.
var usual = &token.Claims{
	Issuer: "https://issuer.example", Subject: "nightly-batch", Audience: []string{"https://api.example"},
	ClientID: "nightly-batch", IssuedAt: 1700000000, Expires: 1700003600, ID: "AAAAAAAAAAAAAAAAAAAAAA",
	Scope: token.Scopes{"orders:read", "orders:write"},
}

func BenchmarkSign(b *testing.B) {
	for _, alg := range benched {
		b.Run(string(alg), func(b *testing.B) {
			signer := newSigner(b, alg)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := signer.Sign(usual); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, alg := range benched {
		b.Run(string(alg), func(b *testing.B) {
			keys := known()
			raw, err := newSigner(b, alg).Sign(usual)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := token.Parse(raw, keys); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
