package e2e

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// object is a JSON object.
type object map[string]any

// with returns a copy with other members; nil takes one away.
func (o object) with(changes object) object {
	changed := object{}
	for _, source := range []object{o, changes} {
		for name, value := range source {
			if changed[name] = value; value == nil {
				delete(changed, name)
			}
		}
	}
	return changed
}

func encode(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// decode reads header and claims of a token and checks nothing.
func decode(t testing.TB, token string) (header, claims object) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts", len(parts))
	}
	for i, into := range []*object{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

func kidOf(t testing.TB, token string) string {
	t.Helper()
	header, _ := decode(t, token)
	kid, _ := header["kid"].(string)
	return kid
}

// stored returns the path of a stored document, which there must be once.
func (c *instance) stored(t testing.TB, name string) string {
	t.Helper()
	var found []string
	_ = filepath.WalkDir(c.storage(), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == name {
			found = append(found, path)
		}
		return nil
	})
	if len(found) != 1 {
		t.Fatalf("%s is stored %d times: %v", name, len(found), found)
	}
	return found[0]
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// privateKeys returns the PEM texts of the stored keys.
func (c *instance) privateKeys(t testing.TB) (keys []string) {
	t.Helper()
	var document struct {
		Keys []struct {
			Private string `json:"private"`
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(readFile(t, c.stored(t, "keys.json"))), &document); err != nil {
		t.Fatal(err)
	}
	for _, key := range document.Keys {
		keys = append(keys, key.Private)
	}
	return keys
}

// forger signs what the issuer never would, with the issuer's own ES256 key.
type forger struct{ key *ecdsa.PrivateKey }

func (c *instance) forger(t testing.TB) forger {
	t.Helper()
	block, _ := pem.Decode([]byte(c.privateKeys(t)[0]))
	if block == nil {
		t.Fatal("the stored key is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return forger{key.(*ecdsa.PrivateKey)}
}

func (f forger) sign(t testing.TB, header, claims object) string {
	t.Helper()
	return f.signText(t, encode(t, header)+"."+encode(t, claims))
}

func (f forger) signText(t testing.TB, text string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, f.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func jsonText(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
