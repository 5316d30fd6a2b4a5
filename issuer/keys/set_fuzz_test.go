package keys

import (
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// FuzzParseSet: whatever comes, an error comes alone; a set that was read finds
// for a JWS nothing but keys that fit it, some key at all, and the same keys when
// they are written and read again.
func FuzzParseSet(f *testing.F) {
	for _, alg := range token.Algorithms() {
		f.Add([]byte(setOf(jwk(alg).with("kid", "a").with("alg", alg).with("use", "sig"), jwk(alg))), "a")
	}
	f.Add([]byte(setOf(jwk(token.EdDSA).with("d", "AA"))), "a")
	f.Add([]byte(setOf(jwk(token.EdDSA).with("key_ops", []string{"verify"}), member{"kty": "oct", "k": "AA"})), "")
	f.Add([]byte(`{"keys":[{"kty":"OKP","kty":"EC"}],"keys":[]}`), "")
	f.Add([]byte(`{"keys":[{},null,1]}`), "\xff")
	f.Fuzz(func(t *testing.T, data []byte, kid string) {
		set, err := ParseSet(data)
		if err != nil {
			if set != nil || err.Error() == "" {
				t.Fatalf("set %v with error %q", set, err)
			}
			return
		}
		var keys []member
		for _, alg := range token.Algorithms() {
			found := set.Find("", alg)
			for _, key := range found {
				keys = append(keys, jwkOf(key.Public, alg).with("kid", key.ID).with("alg", alg))
			}
			for _, key := range append(found, set.Find(kid, alg)...) {
				if key.Algorithm != alg || alg.CheckKey(key.Public) != nil {
					t.Fatalf("%s finds %v", alg, key)
				}
			}
			for _, key := range set.Find(kid, alg) {
				if kid != "" && key.ID != "" && key.ID != kid {
					t.Fatalf("kid %q finds %q", kid, key.ID)
				}
			}
		}
		if len(keys) == 0 {
			t.Fatal("no key is found")
		}
		checkWrittenAgain(t, set, keys)
	})
}

func checkWrittenAgain(t *testing.T, set *Set, keys []member) {
	again, err := ParseSet([]byte(setOf(keys...)))
	if err != nil {
		t.Fatalf("keys that were read cannot be read again: %v", err)
	}
	for _, alg := range token.Algorithms() {
		before, after := set.Find("", alg), again.Find("", alg)
		if len(before) != len(after) {
			t.Fatalf("%s: %d keys, and %d when read again", alg, len(before), len(after))
		}
	}
}
