package client

import (
	"context"
	"testing"
	"time"
)

// The kinds of attempt that a token endpoint sees, with the argon2id hash that
// hash-secret makes (19 MiB, two passes).
func BenchmarkAuthenticate(b *testing.B) {
	const recommended = "$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbiBieXRlIHNsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	fast := Client{ID: "fast", Secrets: []Secret{plainSecret(b, phrase, time.Time{})}}
	known := Client{ID: "known", Secrets: []Secret{hashedSecret(b, phraseArgon2id, time.Time{})}}
	slow := Client{ID: "slow", Secrets: []Secret{hashedSecret(b, recommended, time.Time{})}}
	for _, test := range []struct {
		name, id, secret string
		clients          []Client
	}{
		{"FastSecret", "fast", phrase, []Client{fast}},
		{"RememberedArgon2id", "known", phrase, []Client{known}},
		{"UnknownClientAmongFast", "nobody", phrase, []Client{fast}},
		{"UnknownClientAmongArgon2id", "nobody", phrase, []Client{fast, slow}},
		{"WrongSecretArgon2id", "slow", phrase, []Client{fast, slow}},
	} {
		b.Run(test.name, func(b *testing.B) {
			f := newFixture(b, test.clients...)
			f.compute = (*hash).compute
			credentials := Credentials{Method: SecretBasic, ClientID: test.id, Secret: test.secret}
			b.ReportAllocs()
			for b.Loop() {
				_, _ = f.Authenticate(context.Background(), credentials)
			}
		})
	}
}
