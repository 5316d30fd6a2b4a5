package keys

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// vectors is a file of C2SP's Wycheproof; see testdata/wycheproof/README.md.
type vectors struct {
	TestGroups []struct {
		Comment         string
		Public, Private json.RawMessage
		Tests           []vector
	}
}

type vector struct {
	ID      int `json:"tcId"`
	Comment string
	Result  string
	JWS     any // a string but for a few in JSON serialization
}

func readVectors(t *testing.T, name string) vectors {
	t.Helper()
	data, err := os.ReadFile("testdata/wycheproof/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var read vectors
	if err := json.Unmarshal(data, &read); err != nil || len(read.TestGroups) == 0 {
		t.Fatalf("%d groups, %v", len(read.TestGroups), err)
	}
	return read
}

// candidate hands token.Parse one of the keys that a set finds for a JWS.
type candidate struct{ token.VerificationKey }

func (c candidate) Key(string) (token.VerificationKey, bool) { return c.VerificationKey, true }

func (c candidate) KeyOf(string) (token.VerificationKey, bool) { return c.VerificationKey, true }

// verifies tells whether a key of the set verifies the JWS. The vectors sign texts
// that are no claims and have no typ: the header is judged as that of another server's
// token, and [token.Parse] gets as far as the claims where the signature is right.
func verifies(set *Set, jws string) bool {
	encoded, _, _ := strings.Cut(jws, ".")
	header, err := base64.RawURLEncoding.DecodeString(encoded)
	var selected struct{ Alg, Kid string }
	if err != nil || json.Unmarshal(header, &selected) != nil {
		return false
	}
	foreign := token.Foreign{Algorithms: token.Algorithms()}
	if _, err := foreign.Read(jws); err != nil && !ofClaims(err) {
		return false
	}
	for _, key := range set.Find(selected.Kid, token.Algorithm(selected.Alg)) {
		if _, err := token.Parse(jws, candidate{key}); err == nil || ofClaims(err) {
			return true
		}
	}
	return false
}

func ofClaims(err error) bool {
	var refusal *token.Error
	return errors.As(err, &refusal) && refusal.Check == token.CheckFormat && strings.HasPrefix(refusal.Cause.Error(), "claims:")
}

// ours tells whether a group's keys are of an algorithm that is used here. Two
// groups say PS256 in the key and PS384 in the JWS, and call that valid.
func ours(public json.RawMessage, jws string) bool {
	encoded, _, _ := strings.Cut(jws, ".")
	header, _ := base64.RawURLEncoding.DecodeString(encoded)
	var selected struct{ Alg string }
	_ = json.Unmarshal(header, &selected)
	_, ok := token.AlgorithmOf(selected.Alg)
	return ok && len(public) > 0
}

func TestWycheproofKeySets(t *testing.T) {
	t.Parallel()
	counts := make(map[string]int)
	for _, group := range readVectors(t, "json_web_key_test.json").TestGroups {
		// What has no public half is symmetric: no such set is taken.
		text := group.Public
		if len(text) == 0 {
			text = group.Private
		}
		for _, test := range group.Tests {
			set, err := ParseSet(text)
			passes := err == nil && verifies(set, test.JWS.(string))
			expected := test.Result == "valid" && len(group.Public) > 0
			if passes != expected {
				t.Errorf("%d %s (%s): passes: %v, %v", test.ID, test.Comment, group.Comment, passes, err)
			}
			if set != nil && len(group.Private) > 0 {
				if leaked, err := ParseSet(group.Private); leaked != nil || err == nil {
					t.Errorf("%d %s: the private set is taken", test.ID, group.Comment)
				}
			}
			counts[test.Result]++
		}
	}
	if counts["valid"] != 5 || counts["invalid"] != 21 {
		t.Errorf("%v vectors", counts)
	}
}

func TestWycheproofSignatures(t *testing.T) {
	t.Parallel()
	counts := make(map[string]int)
	for _, group := range readVectors(t, "json_web_signature_test.json").TestGroups {
		text := group.Public
		if len(text) == 0 {
			text = group.Private
		}
		set, err := ParseSet([]byte(`{"keys":[` + string(text) + `]}`))
		if len(group.Public) == 0 && err == nil {
			t.Errorf("%s: a symmetric key is taken", group.Comment)
		}
		for _, test := range group.Tests {
			jws, _ := test.JWS.(string)
			passes := err == nil && verifies(set, jws)
			expected := test.Result == "valid" && ours(group.Public, jws)
			if passes != expected {
				t.Errorf("%d %s (%s): passes: %v, %v", test.ID, test.Comment, group.Comment, passes, err)
			}
			if passes {
				counts["passed"]++
			}
			counts[test.Result]++
		}
	}
	if counts["valid"]+counts["invalid"] != 401 || counts["passed"] != 16 {
		t.Errorf("%v vectors", counts)
	}
}
