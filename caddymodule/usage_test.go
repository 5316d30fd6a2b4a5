package caddymodule_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

const rotatingClient = `
		client batch {
			secret "` + secret + `" {
				id old
			}
			secret "` + secret + ` 2" {
				id new
			}
			secret "` + secret + ` 3" {
				id unused
			}
			scopes read
			allow_bridge
		}`

// storedUsage is what lies in the storage of the secrets of a client.
func storedUsage(t *testing.T, s *site, clientID string) map[string]client.Used {
	t.Helper()
	for path, content := range files(t, s.storage) {
		if !strings.HasPrefix(filepath.Base(path), "usage-") {
			continue
		}
		var shard struct {
			Records map[string]struct{ Secrets map[string]client.Used }
		}
		if err := json.Unmarshal([]byte(content), &shard); err != nil {
			t.Fatal(err)
		}
		if record, ok := shard.Records[clientID]; ok {
			return record.Secrets
		}
	}
	return nil
}

// ask asks at an endpoint with a secret and tells the status.
func (s *site) ask(path, secret, body string) int {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.SetBasicAuth("batch", secret)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, _, _ := s.send(request)
	return status
}

// Every endpoint at which a secret is proved tells of it, also where what was asked
// for is refused; a wrong secret tells nothing. It is stored when Caddy stops, and
// goes on after a restart and over a reload.
func TestUsageIsStored(t *testing.T) {
	s := newSite(t)
	s.load(rotatingClient, "oauth2_gate read {\n bridge basic {\n until 2099-01-01\n }\n }")
	for _, ask := range []struct {
		path, secret, body string
		status             int
	}{
		{"/oauth2/token", secret, "grant_type=client_credentials", 200},
		{"/oauth2/token", secret, "grant_type=client_credentials&scope=other", 400},
		{"/oauth2/introspect", secret + " 2", "token=x", 200},
		{"/oauth2/revoke", secret + " 2", "token=x", 200},
		{"/orders", secret + " 2", "", 200}, // the bridge
		{"/oauth2/token", secret + " 4", "grant_type=client_credentials", 401},
	} {
		if status := s.ask(ask.path, ask.secret, ask.body); status != ask.status {
			t.Errorf("%s: %d, want %d", ask.path, status, ask.status)
		}
	}
	s.load(rotatingClient+"\n token_lifetime 30m", "oauth2_gate read") // a reload
	s.ask("/oauth2/token", secret, "grant_type=client_credentials")
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	expectCounts(t, s, map[string]uint64{"old": 3, "new": 3, "unused": 0})
	if used := storedUsage(t, s, "batch")["old"]; used.Address != "127.0.0.1" && used.Address != "::1" {
		t.Errorf("%+v", used)
	}

	s.load(rotatingClient, "oauth2_gate read")
	s.ask("/oauth2/token", secret, "grant_type=client_credentials")
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	expectCounts(t, s, map[string]uint64{"old": 4, "new": 3, "unused": 0})
}

func expectCounts(t *testing.T, s *site, want map[string]uint64) {
	t.Helper()
	stored := storedUsage(t, s, "batch")
	for id, count := range want {
		used, ok := stored[id]
		if !ok || used.Count != count || used.Last.IsZero() != (count == 0) || used.Since.IsZero() {
			t.Errorf("%s: %+v, want %d uses", id, used, count)
		}
	}
	if len(stored) != len(want) {
		t.Errorf("%+v", stored)
	}
}

// It is no credential: what cannot be read of it stops neither the start nor the
// end, and is left as it is.
func TestDamagedUsageStopsNothing(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, "oauth2_gate read")
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	damaged := 0
	for path := range files(t, s.storage) {
		if strings.HasPrefix(filepath.Base(path), "usage") {
			damaged++
			if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if damaged != 2 {
		t.Fatalf("%d documents", damaged)
	}
	log := filepath.Join(t.TempDir(), "caddy.log")
	s.loadText(strings.Replace(s.config(batchClient, "oauth2_gate read"), "output discard", "output file "+log, 1))
	s.expect("/", s.token("read"), 200)
	told := 0
	for _, line := range logged(t, log) {
		if message, _ := line["msg"].(string); strings.HasPrefix(message, "when secrets were last used") {
			told++
		}
	}
	if told == 0 {
		t.Error("nobody was told")
	}
	for path, content := range files(t, s.storage) {
		if strings.HasPrefix(filepath.Base(path), "usage") && content != "{" {
			t.Errorf("%s became %s", path, content)
		}
	}
}
