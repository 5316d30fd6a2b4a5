package keys

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// member is a JSON object.
type member map[string]any

func (m member) with(name string, value any) member {
	changed := maps.Clone(m)
	changed[name] = value
	return changed
}

func (m member) without(names ...string) member {
	changed := maps.Clone(m)
	for _, name := range names {
		delete(changed, name)
	}
	return changed
}

func (m member) json() string {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// owners are one key pair of somebody else for each algorithm. They are made
// once, since RSA keys take their time.
var owners = sync.OnceValue(func() map[token.Algorithm]crypto.Signer {
	pairs := make(map[token.Algorithm]crypto.Signer)
	for _, alg := range token.Algorithms() {
		private, err := Generate(alg)
		if err != nil {
			panic(err)
		}
		pairs[alg] = private
	}
	return pairs
})

// jwk is the owner's public key for the algorithm as a JWK without `alg`, `use`
// and `kid`.
func jwk(alg token.Algorithm) member { return jwkOf(owners()[alg].Public(), alg) }

func jwkOf(public crypto.PublicKey, alg token.Algorithm) member {
	key, err := publicJWK(public, alg)
	if err != nil {
		panic(err)
	}
	encoded, err := key.MarshalJSON()
	if err != nil {
		panic(err)
	}
	var members member
	if err := json.Unmarshal(encoded, &members); err != nil {
		panic(err)
	}
	return members.without("alg", "use", "kid")
}

func number(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }

func setOf(keys ...member) string { return member{"keys": keys}.json() }

func parse(t testing.TB, text string) *Set {
	t.Helper()
	set, err := ParseSet([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func ids(keys []token.VerificationKey) []string {
	found := make([]string, 0, len(keys))
	for _, key := range keys {
		found = append(found, key.ID)
	}
	return found
}

// A key of somebody else verifies with its own algorithm and with no other.
func TestFindFitsTheAlgorithm(t *testing.T) {
	t.Parallel()
	for _, own := range token.Algorithms() {
		for _, stated := range []bool{true, false} {
			key := jwk(own).with("kid", "k")
			if stated {
				key = key.with("alg", own).with("use", "sig").with("key_ops", []string{"sign", "verify"})
			}
			set := parse(t, setOf(key))
			for _, alg := range append(token.Algorithms(), "", "none", "HS256", "Ed25519") {
				expected := alg == own || !stated && (own == token.RS256 && alg == token.PS256 || own == token.PS256 && alg == token.RS256)
				for _, kid := range []string{"k", ""} {
					found := set.Find(kid, alg)
					if (len(found) == 1) != expected || len(found) > 1 {
						t.Errorf("key for %s (alg stated: %v), JWS with %q and kid %q: %d keys", own, stated, alg, kid, len(found))
					}
					for _, key := range found {
						if key.Algorithm != alg || !key.Public.(interface{ Equal(crypto.PublicKey) bool }).Equal(owners()[own].Public()) {
							t.Errorf("%s: found %v", own, key)
						}
					}
				}
			}
		}
	}
}

// The name Ed25519 (RFC 9864) means the same as EdDSA.
func TestFindEd25519(t *testing.T) {
	t.Parallel()
	set := parse(t, setOf(jwk(token.EdDSA).with("alg", "Ed25519")))
	if found := set.Find("", token.EdDSA); len(found) != 1 || found[0].Algorithm != token.EdDSA {
		t.Errorf("found %v", found)
	}
}

func TestFindByID(t *testing.T) {
	t.Parallel()
	es := jwk(token.ES256)
	set := parse(t, setOf(
		es.with("kid", "a"), es.with("kid", "b").with("alg", "ES256"), es, es.with("kid", "a").with("x5t", "x"),
		jwk(token.EdDSA).with("kid", "ed"), es.with("kid", "encrypts").with("use", "enc"), es.with("kid", ""),
	))
	tests := []struct {
		kid      string
		alg      token.Algorithm
		expected []string
	}{
		{"", token.ES256, []string{"a", "b", "", "a", ""}},
		{"a", token.ES256, []string{"a", "a", "", ""}},
		{"b", token.ES256, []string{"b", "", ""}},
		{"A", token.ES256, []string{"", ""}}, // case counts
		{"unknown", token.ES256, []string{"", ""}},
		{"encrypts", token.ES256, []string{"", ""}},
		{"ed", token.ES256, []string{"", ""}},
		{"ed", token.EdDSA, []string{"ed"}},
		{"", token.EdDSA, []string{"ed"}},
		{"a", token.EdDSA, nil},
		{"a", token.RS256, nil},
	}
	for _, test := range tests {
		if found := ids(set.Find(test.kid, test.alg)); !slices.Equal(found, test.expected) {
			t.Errorf("kid %q, %s: found %q, expected %q", test.kid, test.alg, found, test.expected)
		}
	}
	for kid, expected := range map[string]bool{"a": true, "ed": true, "encrypts": true, "": false, "x": false} {
		if set.names(kid) != expected {
			t.Errorf("names(%q): %v", kid, !expected)
		}
	}
	if found := (*Set)(nil).Find("a", token.ES256); found != nil || (*Set)(nil).names("a") {
		t.Errorf("a nil set finds %v", found)
	}
}

// One JWS costs a bounded number of checks, and its own key is tried first.
func TestFindIsBounded(t *testing.T) {
	t.Parallel()
	keys := slices.Repeat([]member{jwk(token.ES256)}, maxSetKeys-1)
	set := parse(t, setOf(append(keys, jwk(token.ES256).with("kid", "last"))...))
	for _, kid := range []string{"", "last", "unknown"} {
		found := set.Find(kid, token.ES256)
		if len(found) != maxCandidates || cap(found) != maxCandidates || (found[0].ID == "last") != (kid == "last") {
			t.Errorf("kid %q: %q", kid, ids(found))
		}
	}
}

func TestParseSetRefusesTexts(t *testing.T) {
	t.Parallel()
	es := jwk(token.ES256)
	good := setOf(es)
	tests := map[string]struct{ text, why string }{
		"nothing":             {"", "expected a JSON object"},
		"HTML":                {"<html>keys</html>", "expected a JSON object"},
		"null":                {"null", "expected a JSON object"},
		"an array of keys":    {"[" + es.json() + "]", "expected a JSON object"},
		"a single key":        {es.json(), `an array "keys"`},
		"an empty object":     {"{}", `an array "keys"`},
		"Keys":                {strings.Replace(good, "keys", "Keys", 1), `an array "keys"`},
		"keys null":           {`{"keys":null}`, `an array "keys"`},
		"keys an object":      {`{"keys":` + es.json() + `}`, `an array "keys"`},
		"keys empty":          {`{"keys":[]}`, "expected at least one key"},
		"keys twice":          {strings.Replace(good, "{", `{"keys":[],`, 1), "stands twice"},
		"keys twice, escaped": {strings.Replace(good, "{", `{"\u006beys":[],`, 1), "stands twice"},
		"cut off":             {good[:len(good)-1], "not JSON"},
		"cut off in a key":    {good[:len(good)-9], "not JSON"},
		"a trailing comma":    {good[:len(good)-1] + ",}", "not JSON"},
		"no name":             {`{1:2}`, "not JSON"},
		"two sets":            {good + good, "data after"},
		"data after the set":  {good + "x", "data after"},
		"not UTF-8":           {strings.Replace(good, "{", "{\"a\":\"\xff\",", 1), "not UTF-8"},
		"a byte order mark":   {"\ufeff" + good, "expected a JSON object"},
		"nested deeply":       {`{"keys":` + strings.Repeat("[", 100_000), "not JSON"},
		"too many keys":       {setOf(slices.Repeat([]member{es}, maxSetKeys+1)...), "101 keys: expected at most 100"},
		"too long":            {good + strings.Repeat(" ", MaxSetLength), "longer than 262144 bytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := ParseSet([]byte(test.text))
			if set != nil || err == nil || !strings.Contains(err.Error(), test.why) {
				t.Errorf("set %v, error %v; expected one with %q", set, err, test.why)
			}
			checkQuotesNothing(t, err, es)
		})
	}
}

// What a set may be: the limits themselves, unknown members, certificates that
// nobody asked for, an exponent of 3.
func TestParseSetAccepts(t *testing.T) {
	t.Parallel()
	es := jwk(token.ES256)
	good := setOf(es)
	tests := map[string]string{
		"the longest":          good + strings.Repeat(" ", MaxSetLength-len(good)),
		"the most keys":        setOf(slices.Repeat([]member{es}, maxSetKeys)...),
		"the longest kid":      setOf(es.with("kid", strings.Repeat("k", maxIDLength))),
		"unknown members":      member{"keys": []member{es.with("issuer", "x").with("exp", 1)}, "more": member{"a": 1}}.json(),
		"a broken certificate": setOf(es.with("x5c", []string{"?"}).with("x5t", "?").with("x5u", ":").with("x5t#S256", 1)),
	}
	for name, text := range tests {
		if found := parse(t, text).Find("", token.ES256); len(found) == 0 {
			t.Errorf("%s: no key found", name)
		}
	}
	if found := parse(t, setOf(jwk(token.PS256).with("e", "Aw"))).Find("", token.PS256); len(found) != 1 {
		t.Errorf("an exponent of 3: found %v", found)
	}
}

// The reasons are few, however many keys there are.
func TestNoUsableKeyIsShort(t *testing.T) {
	t.Parallel()
	_, err := ParseSet([]byte(setOf(slices.Repeat([]member{{"kty": "X"}}, 100)...)))
	if err == nil || !strings.HasSuffix(err.Error(), "; and 97 more") || strings.Count(err.Error(), "; ") != 3 {
		t.Error(err)
	}
}

// The digest tells whether what is remembered of signatures is still right.
func TestDigest(t *testing.T) {
	t.Parallel()
	es, ed := jwk(token.ES256), jwk(token.EdDSA)
	base := parse(t, setOf(es.with("kid", "a"), ed)).digest
	same := map[string]string{
		"another order":   setOf(ed, es.with("kid", "a")),
		"another text":    "\n" + setOf(ed, es.with("kid", "a").with("use", "sig").with("x5t", "z")),
		"an empty member": setOf(ed.with("kid", ""), es.with("kid", "a")),
	}
	other := map[string]string{
		"another kid":     setOf(es.with("kid", "b"), ed),
		"an alg":          setOf(es.with("kid", "a").with("alg", "ES256"), ed),
		"another key":     setOf(jwk(token.ES384).with("kid", "a"), ed),
		"one key less":    setOf(ed),
		"one key more":    setOf(es.with("kid", "a"), ed, ed),
		"one passed over": setOf(es.with("kid", "a"), ed, es.with("kid", "b").with("use", "enc")),
	}
	for name, text := range same {
		if parse(t, text).digest != base {
			t.Errorf("%s: another digest", name)
		}
	}
	for name, text := range other {
		if parse(t, text).digest == base {
			t.Errorf("%s: the same digest", name)
		}
	}
}
