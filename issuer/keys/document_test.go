package keys

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

var start = time.Date(2026, 1, 1, 12, 0, 0, 123456789, time.UTC)

// makeDocument returns a document with a key of each algorithm, one after
// another, a day apart.
func makeDocument(t testing.TB, algorithms ...token.Algorithm) document {
	t.Helper()
	var doc document
	for i, alg := range algorithms {
		key, err := newRecord(alg)
		if err != nil {
			t.Fatal(err)
		}
		key.signsFrom = start.Add(time.Duration(i) * 24 * time.Hour)
		key.created = key.signsFrom.Add(-time.Hour)
		key.lifetime = time.Hour
		if i > 0 {
			doc.keys[i-1].signsUntil = key.signsFrom
		}
		doc.keys = append(doc.keys, key)
	}
	return doc
}

func encode(t testing.TB, doc document) []byte {
	t.Helper()
	raw, err := doc.encode()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestDocumentRoundTrip(t *testing.T) {
	t.Parallel()
	doc := makeDocument(t, token.Algorithms()...)
	raw := encode(t, doc)
	again, err := decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if string(encode(t, again)) != string(raw) {
		t.Error("decoding and encoding changed the document")
	}
	for i := range doc.keys {
		if !reflect.DeepEqual(doc.keys[i].private.Public(), again.keys[i].private.Public()) {
			t.Errorf("%s: the key changed", doc.keys[i].alg)
		}
		doc.keys[i].private, again.keys[i].private = nil, nil
	}
	if !reflect.DeepEqual(doc, again) {
		t.Errorf("decoded:\n%+v\nexpected:\n%+v", again, doc)
	}
}

// A life of a fraction of a second is noted as more, never as less.
func TestLifetimeIsRoundedUp(t *testing.T) {
	t.Parallel()
	doc := makeDocument(t, token.ES256)
	doc.keys[0].lifetime = 1500 * time.Millisecond
	again, err := decode(encode(t, doc))
	if err != nil || again.keys[0].lifetime != 2*time.Second {
		t.Errorf("lifetime %v, %v; expected 2s", again.keys, err)
	}
}

// damage changes members of the second of three stored keys.
type damage func(doc, key map[string]any, first map[string]any)

func set(name string, value any) damage {
	return func(_, key, _ map[string]any) { key[name] = value }
}

func remove(name string) damage {
	return func(_, key, _ map[string]any) { delete(key, name) }
}

// Every deviation stops the load with an error that names the key and the
// member, and shows nothing of a private key: the error goes to the log.
func TestUnreadableDocuments(t *testing.T) {
	t.Parallel()
	stored := encode(t, makeDocument(t, token.ES256, token.EdDSA, token.RS256))
	other := makeDocument(t, token.ES256, token.ES384)
	otherPEM, err := encodePrivate(other.keys[0].private)
	if err != nil {
		t.Fatal(err)
	}
	p384PEM, err := encodePrivate(other.keys[1].private)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		damage damage
		words  string // what the error says, space-separated
	}{
		{"an unknown member of a key", set("comment", "x"), "unknown member comment"},
		{"a piece of a key as a member's name", set("MIGHAgEAMBMGByqGSM49AgEG", "x"), "member not known"},
		{"an unknown member beside the keys", func(doc, _, _ map[string]any) { doc["extra"] = 1 }, "unknown member extra"},
		{"a later version", func(doc, _, _ map[string]any) { doc["version"] = 2 }, "version"},
		{"no version", func(doc, _, _ map[string]any) { delete(doc, "version") }, "version"},
		{"a version as text", func(doc, _, _ map[string]any) { doc["version"] = "1" }, "version"},
		{"no keys", func(doc, _, _ map[string]any) { delete(doc, "keys") }, "keys"},
		{"null for keys", func(doc, _, _ map[string]any) { doc["keys"] = nil }, "keys"},
		{"an empty list of keys", func(doc, _, _ map[string]any) { doc["keys"] = []any{} }, "keys"},
		{"keys as an object", func(doc, _, _ map[string]any) { doc["keys"] = map[string]any{} }, "keys"},
		{"another kid", set("kid", strings.Repeat("A", 43)), "key 2 kid thumbprint"},
		{"a piece of a key as kid", set("kid", otherPEM), "key 2 kid thumbprint"},
		{"no kid", remove("kid"), "key 2 kid"},
		{"another key's material", set("private", otherPEM), "key 2 private Ed25519"},
		{"no material", remove("private"), "key 2 private PEM"},
		{"material that is no PEM", set("private", "MC4CAQAwBQYDK2VwBCIEIA"), "key 2 private PEM"},
		{"two PEM blocks", set("private", otherPEM+otherPEM), "key 2 private PEM"},
		{"text before the PEM block", set("private", "x\n"+otherPEM), "key 2 private PEM"},
		{"a PEM block of another type", set("private", strings.ReplaceAll(otherPEM, "PRIVATE KEY", "EC PRIVATE KEY")), "key 2 private type"},
		{"PEM headers", set("private", strings.Replace(otherPEM, "KEY-----\n", "KEY-----\nProc-Type: x\n\n", 1)), "key 2 private headers"},
		{"a truncated key", set("private", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----\n"), "key 2 private PKCS#8"},
		{"material as a number", set("private", 7), "private wrong type"},
		{"another algorithm", set("alg", "ES256"), "key 2 private ES256"},
		{"a curve that is not the algorithm's", func(_, key, _ map[string]any) { key["alg"], key["private"] = "ES256", p384PEM }, "key 2 P-256"},
		{"alg none", set("alg", "none"), "key 2 alg"},
		{"a symmetric algorithm", set("alg", "HS256"), "key 2 alg"},
		{"material as algorithm", set("alg", otherPEM), "key 2 alg"},
		{"no algorithm", remove("alg"), "key 2 alg"},
		{"no creation time", remove("created"), "key 2 created RFC 3339"},
		{"a creation time without zone", set("created", "2026-01-01T00:00:00"), "key 2 created"},
		{"material as a time", set("signs_from", otherPEM), "key 2 signs_from"},
		{"the zero time", set("signs_from", "0001-01-01T00:00:00Z"), "key 2 signs_from"},
		{"a wrong end", set("signs_until", "tomorrow"), "key 2 signs_until"},
		{"no end although another key follows", remove("signs_until"), "key 2 signs_until"},
		{"an end after the next key's beginning", set("signs_until", "2036-01-01T00:00:00Z"), "key 2 signs_until"},
		{"a beginning before the end of the key above", set("signs_from", "2025-01-01T00:00:00Z"), "key 1 signs_until"},
		{"keys out of order", func(_, key, first map[string]any) {
			key["signs_from"], first["signs_until"] = "2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z"
		}, "key 2 signs_from"},
		{"a negative lifetime", set("lifetime_seconds", -1), "key 2 lifetime_seconds"},
		{"a huge lifetime", set("lifetime_seconds", 1<<40), "key 2 lifetime_seconds"},
		{"a lifetime with a fraction", set("lifetime_seconds", 1.5), "lifetime_seconds"},
		{"a key that stands twice", func(_, key, first map[string]any) {
			key["kid"], key["alg"], key["private"] = first["kid"], first["alg"], first["private"]
		}, "key 2 twice"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			expectUnreadable(t, damaged(t, stored, test.damage), test.words)
		})
	}
}

func TestUnreadableText(t *testing.T) {
	t.Parallel()
	stored := string(encode(t, makeDocument(t, token.ES256)))
	tests := []struct{ name, text, words string }{
		{"an empty file", "", "not JSON"},
		{"white space", " \n", "not JSON"},
		{"a truncated file", stored[:len(stored)/2], "not JSON"},
		{"data after the object", stored + "{}", "not JSON"},
		{"null", "null", "version"},
		{"an array", "[]", "wrong type"},
		{"zeros, as a crash may leave them", strings.Repeat("\x00", 512), "not JSON"},
		{"a key alone", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----\n", "not JSON"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			expectUnreadable(t, []byte(test.text), test.words)
		})
	}
}

func damaged(t *testing.T, stored []byte, damage damage) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(stored, &doc); err != nil {
		t.Fatal(err)
	}
	list := doc["keys"].([]any)
	damage(doc, list[1].(map[string]any), list[0].(map[string]any))
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func expectUnreadable(t *testing.T, raw []byte, words string) {
	t.Helper()
	doc, err := decode(raw)
	if err == nil || doc.keys != nil {
		t.Fatalf("decoded %d keys, %v; expected an error alone", len(doc.keys), err)
	}
	for word := range strings.FieldsSeq(words) {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q: expected the word %q", err, word)
		}
	}
	if strings.Contains(err.Error(), "MIGH") || strings.Contains(err.Error(), "MC4C") || strings.Contains(err.Error(), "BEGIN") {
		t.Errorf("error %q shows key material", err)
	}
}

// The smallest RSA key that signs is one of 2048 bits; the key here has 1024.
func TestSmallRSAKeyIsRefused(t *testing.T) {
	t.Parallel()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	private, err := encodePrivate(small)
	if err != nil {
		t.Fatal(err)
	}
	stored := encode(t, makeDocument(t, token.ES256, token.RS256))
	expectUnreadable(t, damaged(t, stored, set("private", private)), "key 2 RSA 1024 2048")
}

// Whatever stands in the storage, decode ends with an error alone, or with keys
// that are stored again as they were.
func FuzzDecode(f *testing.F) {
	f.Add(encode(f, makeDocument(f, token.ES256, token.EdDSA)))
	f.Add([]byte(`{"version":1,"keys":[]}`))
	f.Add([]byte(`{"version":1,"keys":[{"kid":"","alg":"ES256","private":""}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, err := decode(raw)
		if err != nil {
			if doc.keys != nil {
				t.Fatal("an error came with keys")
			}
			return
		}
		first := encode(t, doc)
		again, err := decode(first)
		if err != nil {
			t.Fatalf("what was decoded cannot be stored: %v", err)
		}
		if string(encode(t, again)) != string(first) {
			t.Fatal("a second round changed the document")
		}
	})
}
