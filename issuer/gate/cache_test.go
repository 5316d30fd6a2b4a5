package gate

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// However many tokens a stranger's client gathers, memory is bounded: an entry
// weighs more than the token that it stands for.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	longest := entrySize(strings.Repeat("x", token.MaxLength), new(token.Claims))
	if least := entrySize("", new(token.Claims)); least < 400 || longest < 2*token.MaxLength {
		t.Fatalf("entries weigh %d to %d bytes", least, longest)
	}
	cache := NewCache()
	fit := cacheBytes / int(longest)
	for i := range 3 * fit {
		var key digest
		binary.BigEndian.PutUint64(key[:], uint64(i))
		cache.entries.Set(key, &entry{size: longest})
	}
	if got := cache.Len(); got > fit || got < fit/2 {
		t.Errorf("%d entries of %d bytes, room is for %d", got, longest, fit)
	}
	if weight := cache.entries.WeightedSize(); weight > cacheBytes {
		t.Errorf("%d bytes, want at most %d", weight, cacheBytes)
	}
}

// onlyKey is the one key there is.
type onlyKey token.VerificationKey

func (k onlyKey) Key(string) (token.VerificationKey, bool) { return token.VerificationKey(k), true }

func (k onlyKey) KeyOf(string) (token.VerificationKey, bool) { return token.VerificationKey{}, false }

// Whoever writes what others sign for must not get more memory than the bound says
// with claims that are short on the wire and large when read.
func TestEntryWeighsWhatItNeeds(t *testing.T) { // not beside others: it looks at the heap
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := token.NewSigner(token.SigningKey{ID: "k", Algorithm: token.EdDSA, Private: private})
	if err != nil {
		t.Fatal(err)
	}
	scopes := make(token.Scopes, 500)
	for i := range scopes {
		scopes[i] = string(rune('a'+i/26)) + string(rune('a'+i%26))
	}
	many := func(value any) map[string]any { return map[string]any{"x": slices.Repeat([]any{value}, 500)} }
	for name, claims := range map[string]token.Claims{
		"usual":         {},
		"scopes":        {Scope: scopes},
		"roles":         {Roles: scopes},
		"numbers":       {Extra: many(json.Number("1"))},
		"texts":         {Extra: many("x")},
		"empty objects": {Extra: many(map[string]any{})},
		"objects":       {Extra: many(map[string]any{"x": nil})},
		"empty lists":   {Extra: many([]any{})},
		"lists":         {Extra: many([]any{true})},
	} {
		claims.Issuer, claims.Subject, claims.ClientID, claims.ID = "https://as.example", "batch", "batch", token.NewID(0)
		raw, err := signer.Sign(&claims)
		if err != nil {
			t.Fatal(err)
		}
		entries := make([]*entry, 200)
		weight, before := uint64(0), heap()
		for i := range entries {
			read, err := token.Parse(raw, onlyKey{ID: "k", Algorithm: token.EdDSA, Public: public})
			if err != nil {
				t.Fatal(err)
			}
			entries[i] = &entry{claims: *read, size: entrySize(raw, read)}
			weight += uint64(entries[i].size)
		}
		if needs := heap() - before; needs > weight {
			t.Errorf("%s: entries of %d bytes weigh %d", name, needs/200, weight/200)
		}
		runtime.KeepAlive(entries)
	}
}
