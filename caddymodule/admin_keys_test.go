package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// askJSON sends a document to the admin endpoint and reads the answer into one.
func (s *adminSite) askJSON(method, path, body string, into any) (status int, text string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.admin+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	status, header, text := s.send(r)
	if header.Get("Content-Type") != "application/json" || header.Get("Cache-Control") != "no-store" {
		s.t.Errorf("%s %s: %v", method, path, header)
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		s.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	return status, text
}

// adminKey is what operators' scripts rely on.
type adminKey struct {
	Kid, Alg, State string
	Made            time.Time
	SignsFrom       time.Time `json:"signs_from"`
	SignsUntil      time.Time `json:"signs_until"`
	Forgotten       time.Time
}

// keys are all keys, and their states as words.
func (s *adminSite) keys() (keys []adminKey, states string) {
	s.t.Helper()
	var answer struct{ Keys []adminKey }
	status, text := s.askJSON("GET", "/oauth2/keys", "", &answer)
	if status != 200 || strings.Contains(text, "PRIVATE") || strings.Contains(text, `"d"`) {
		s.t.Fatalf("%d %s", status, text)
	}
	var words []string
	for _, key := range answer.Keys {
		words = append(words, key.State)
	}
	return answer.Keys, strings.Join(words, " ")
}

// The next key is published at once, signs later, and is made once, whoever asks.
func TestAdminRotatesKeys(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	old := s.token("read")
	before, states := s.keys()
	if states != "active" || before[0].Alg != "ES256" || before[0].Made.IsZero() || !before[0].SignsUntil.IsZero() || !before[0].Forgotten.IsZero() {
		t.Fatalf("%+v", before)
	}
	for _, first := range []bool{true, false} {
		var answer struct {
			Key adminKey
			New bool
		}
		if status, text := s.askJSON("POST", "/oauth2/keys/rotate", "", &answer); status != 200 || answer.New != first || answer.Key.State != "next" {
			t.Fatalf("%d %s", status, text)
		}
	}
	after, states := s.keys()
	if states != "active next" || after[0].Kid != before[0].Kid || !after[0].SignsUntil.Equal(after[1].SignsFrom) || !after[0].Forgotten.After(after[0].SignsUntil) {
		t.Errorf("%+v", after)
	}
	if _, _, jwks := s.get("/oauth2/jwks", ""); !strings.Contains(jwks, after[1].Kid) {
		t.Error("it is not published")
	}
	s.expect("/", old, 200)
}

// A revoked key's tokens are refused from the next request on, also those that
// gates have seen before; new ones are good.
func TestAdminRevokesKeys(t *testing.T) {
	for _, next := range []bool{false, true} {
		s := newAdminSite(t)
		s.mustReload(batchClient, "oauth2_gate read")
		old := s.token("read")
		s.expect("/", old, 200)
		want, _ := s.keys()
		revoked := want[0].Kid
		if next {
			s.askJSON("POST", "/oauth2/keys/rotate", "", new(any))
			want, _ = s.keys()
		}
		var answer struct {
			Revoked, New string
			Keys         []adminKey
		}
		status, text := s.askJSON("POST", "/oauth2/keys/"+revoked+"/revoke", "", &answer)
		if status != 200 || answer.Revoked != revoked || len(answer.Keys) != 1 || (answer.New == "") != next {
			t.Fatalf("%d %s", status, text)
		}
		if next && answer.Keys[0].Kid != want[1].Kid {
			t.Error("the next key does not take over")
		}
		s.expect("/", old, 401)
		if _, _, jwks := s.get("/oauth2/jwks", ""); strings.Contains(jwks, revoked) {
			t.Error("it is published")
		}
		s.expect("/", s.token("read"), 200)
		s.mustReload(batchClient+"\n token_lifetime 30m", "oauth2_gate read")
		s.expect("/", old, 401)
		if status, text := s.askJSON("POST", "/oauth2/keys/"+revoked+"/revoke", "", &answer); status != 404 {
			t.Errorf("twice: %d %s", status, text)
		}
	}
}

// With another algorithm, tokens from before are good until they expire, and are
// refused when their key is revoked.
func TestAdminRevokesKeyOfFormerAlgorithm(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	old := s.token("read")
	s.mustReload(batchClient+"\n signing EdDSA {\n publish_ahead 1s\n}", "oauth2_gate read")
	deadline := time.Now().Add(time.Minute)
	for _, states := s.keys(); states != "retired active"; _, states = s.keys() {
		if time.Now().After(deadline) {
			t.Fatal(states)
		}
		time.Sleep(20 * time.Millisecond)
	}
	fresh := s.token("read")
	s.expect("/", old, 200)
	s.expect("/", fresh, 200)
	keys, _ := s.keys()
	if keys[0].Alg != "ES256" || keys[1].Alg != "EdDSA" {
		t.Errorf("%+v", keys)
	}
	if status, text := s.askJSON("POST", "/oauth2/keys/"+keys[0].Kid+"/revoke", "", new(any)); status != 200 {
		t.Fatal(text)
	}
	s.expect("/", old, 401)
	s.expect("/", fresh, 200)
}

// What goes wrong is an error, says what, and changes nothing.
func TestAdminKeyErrors(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	before, _ := s.keys()
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"POST", "/oauth2/keys", 405},
		{"GET", "/oauth2/keys/rotate", 405},
		{"GET", "/oauth2/keys/" + before[0].Kid + "/revoke", 405},
		{"DELETE", "/oauth2/keys/" + before[0].Kid, 404},
		{"POST", "/oauth2/keys/x/revoke", 404},
		{"POST", "/oauth2/keys/" + before[0].Kid + "x/revoke", 404},
		{"POST", "/oauth2/keys/" + before[0].Kid + "/revoke?force=1", 400},
		{"POST", "/oauth2/keys/rotate?algorithm=EdDSA", 400},
		{"GET", "/oauth2/keys?state=next", 400},
	} {
		var answer struct{ Error string }
		if status, text := s.askJSON(c.method, c.path, "", &answer); status != c.status || answer.Error == "" {
			t.Errorf("%s %s: %d %s", c.method, c.path, status, text)
		}
	}
	path := keyFile(t, s.site)
	good, err := os.ReadFile(path) //nolint:gosec // a file of the test
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, endpoint := range []string{"rotate", before[0].Kid + "/revoke"} {
		var answer struct{ Error string }
		if status, _ := s.askJSON("POST", "/oauth2/keys/"+endpoint, "", &answer); status != 503 || !strings.Contains(answer.Error, "keys.json") {
			t.Errorf("damaged: %d %s", status, answer.Error)
		}
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if after, _ := s.keys(); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("%v, before: %v", after, before)
	}
	// Where all tokens come from others, there are no keys.
	s.mustReload("", "respond ok")
	if status, _, body := s.ask("GET", "/oauth2/keys"); status != 200 {
		t.Errorf("an issuer without gate: %d %s", status, body)
	}
}

// Who did what is in the audit log.
func TestAuditOfKeys(t *testing.T) {
	s := newAdminSite(t)
	path := filepath.Join(t.TempDir(), "audit.log")
	s.log = "log audit {\noutput file " + path + "\nformat json\ninclude oauth2.audit\n}"
	s.mustReload(batchClient, "oauth2_gate read")
	s.askJSON("POST", "/oauth2/keys/rotate", "", new(any))
	s.askJSON("POST", "/oauth2/keys/rotate", "", new(any)) // changes nothing
	keys, _ := s.keys()
	s.askJSON("POST", "/oauth2/keys/"+keys[0].Kid+"/revoke", "", new(any))
	var lines []string
	for _, line := range logged(t, path) {
		if address, ok := line["address"]; ok {
			lines = append(lines, fmt.Sprint(line["msg"], " ", line["kid"], " ", address))
		} else {
			lines = append(lines, fmt.Sprint(line["msg"], " ", line["kid"]))
		}
	}
	for i, want := range []string{
		"signing key made " + keys[0].Kid, "signing key in use " + keys[0].Kid,
		"signing key made " + keys[1].Kid, "signing key rotated " + keys[1].Kid + " 127.0.0.1",
		"signing key revoked " + keys[0].Kid + " 127.0.0.1", "signing key in use " + keys[1].Kid,
	} {
		if i >= len(lines) || lines[i] != want {
			t.Fatalf("line %d: expected %q in %q", i, want, lines)
		}
	}
}
