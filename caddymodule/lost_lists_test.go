package caddymodule_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/caddyserver/caddy/v2"
)

// lose removes files of the site's state.
func (s *adminSite) lose(pattern string) {
	s.t.Helper()
	paths, err := filepath.Glob(filepath.Join(filepath.Dir(keyFile(s.t, s.site)), pattern))
	if err != nil || len(paths) == 0 {
		s.t.Fatalf("%s: %v, %v", pattern, paths, err)
	}
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *adminSite) stop() {
	s.t.Helper()
	if err := caddy.Stop(); err != nil {
		s.t.Fatal(err)
	}
}

// What was lost while Caddy was stopped is not taken for nothing: no client that was
// made at run time, no token that was revoked. The start names the document, also where
// nothing was in it yet, and says how to go on without it.
func TestLostListsStopTheStart(t *testing.T) {
	for lost, test := range map[string]struct {
		makeClient bool
		hint       string
	}{
		"registry.json":   {true, `{"shards":{}}`},
		"registry*.json":  {true, `{"shards":{}}`},
		"registry-*.json": {true, "backup"},
		"revoked.json":    {false, `{"shards":{}}`},
		"re*.json":        {false, `{"shards":{}}`}, // replay.json too
	} {
		t.Run(lost, func(t *testing.T) {
			s := newAdminSite(t)
			s.mustReload(batchClient, "oauth2_gate read")
			if test.makeClient {
				s.mustClient(http.StatusCreated, "POST", "", `{"client_id":"made","scopes":["read"]}`)
			}
			s.stop()
			s.lose(lost)
			before := files(t, s.storage)
			err := s.reload(batchClient, "oauth2_gate read")
			name, _, _ := strings.Cut(lost, "*")
			if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), test.hint) {
				t.Fatalf("got %v", err)
			}
			if after := files(t, s.storage); len(after) != len(before) {
				t.Errorf("the storage changed: %v", after)
			}
		})
	}
}

// The loss can be accepted by the words that the error has.
func TestLossOfListsIsAccepted(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	s.mustClient(http.StatusCreated, "POST", "", `{"client_id":"made","scopes":["read"]}`)
	s.stop()
	folder := filepath.Dir(keyFile(t, s.site))
	s.lose("registry*.json")
	s.lose("revoked.json")
	for _, name := range []string{"registry.json", "revoked.json"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(`{"shards":{}}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.mustReload(batchClient, "oauth2_gate read")
	s.mustClient(http.StatusNotFound, "GET", "/made", "")
	s.mustClient(http.StatusCreated, "POST", "", `{"client_id":"made","scopes":["read"]}`)
}

// A running Caddy knows what was in them: the next reload writes them again.
func TestReloadWritesLostListsAgain(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	made := s.mustClient(http.StatusCreated, "POST", "", `{"client_id":"made","scopes":["read"]}`)
	s.lose("registry.json")
	s.lose("revoked.json")
	s.mustReload(batchClient+"\n token_lifetime 30m", "oauth2_gate read")
	s.stop()
	s.mustReload(batchClient, "oauth2_gate read")
	s.expect("/", s.tokenFor("made", made.Secret), 200)
}

// What an earlier version stored has no such lists where there was nothing to store:
// they are made, and missing ones are noticed from then on.
func TestListsOfAnEarlierVersion(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	s.stop()
	clients := filepath.Join(filepath.Dir(keyFile(t, s.site)), "clients.json")
	content, err := os.ReadFile(clients)
	before, _, found := strings.Cut(string(content), `,"beside":`)
	if err != nil || !found {
		t.Fatalf("%s %v", content, err)
	}
	s.lose("re*.json")
	if err := os.WriteFile(clients, []byte(before+"}"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.mustReload(batchClient, "oauth2_gate read")
	s.stop()
	for _, name := range []string{"registry.json", "revoked.json"} {
		if _, err := os.Stat(filepath.Join(filepath.Dir(clients), name)); errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s was not made", name)
		}
	}
	s.lose("registry.json")
	if err := s.reload(batchClient, "oauth2_gate read"); err == nil {
		t.Error("the loss was not noticed")
	}
}

// startLog is what the start of a configuration says to the log.
func (s *site) startLog(options string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "start.log")
	s.loadText(strings.Replace(s.config(options, "oauth2_gate read"), "output discard", "output file "+path+"\nformat json", 1))
	text, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := caddy.Stop(); err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// A start that makes new keys says so: on a new store, on one whose keys were lost, and
// on one that the state was not moved to. Any other says none of it.
func TestStartTellsOfNewKeys(t *testing.T) {
	const first, lost, unmoved = "nothing is stored of this issuer", "the signing keys are missing", "oauth2 store copy"
	s := newSite(t)
	redis := inRedis(miniredis.RunT(t), storeKey)
	for _, step := range []struct {
		does, options string
		says          []string
	}{
		{"a first start", batchClient, []string{first}},
		{"a second start", batchClient, nil},
		{"a start on another store", redis, []string{first, unmoved}},
		{"a second start there", redis, nil},
		{"a start without keys", batchClient, []string{lost}},
	} {
		if slices.Contains(step.says, lost) {
			if err := os.Remove(keyFile(t, s)); err != nil {
				t.Fatal(err)
			}
		}
		log := s.startLog(step.options)
		for _, text := range []string{first, lost, unmoved} {
			if strings.Contains(log, text) != slices.Contains(step.says, text) {
				t.Errorf("%s: expected %q, got %s", step.does, step.says, log)
			}
		}
	}
}
