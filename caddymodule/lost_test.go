package caddymodule_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// Keys without clients are no first start: which tokens are void was lost. The
// start says so, and how to go on; the other way round, keys are made.
func TestLostClientsStopTheStart(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, "oauth2_gate read")
	old := s.token("read")
	s.load("", "oauth2_gate read")
	s.load(batchClient, "oauth2_gate read")
	keys := keyFile(t, s)
	clients := filepath.Join(filepath.Dir(keys), "clients.json")
	remove := func(path string) {
		t.Helper()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	remove(clients)
	s.load(batchClient+"\n token_lifetime 30m", "oauth2_gate read") // this process knows
	s.expect("/", old, 401)
	for _, kept := range []bool{true, false} {
		if err := caddy.Stop(); err != nil {
			t.Fatal(err)
		}
		if kept {
			s.load(batchClient, "oauth2_gate read")
			s.expect("/", old, 401)
			continue
		}
		remove(clients)
		err := s.tryLoad(batchClient, "oauth2_gate read")
		if err == nil || !strings.Contains(err.Error(), "/clients.json") || !strings.Contains(err.Error(), `{"clients":{}}`) {
			t.Fatalf("got %v", err)
		}
	}
	if err := os.WriteFile(clients, []byte(`{"clients":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s.load(batchClient, "oauth2_gate read")
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	remove(keys)
	s.load(batchClient, "oauth2_gate read")
	s.expect("/", s.token("read"), 200)
}

// A crash during the first start must not look like a loss: clients are stored
// before keys, also where there are none.
func TestClientsAreStoredBeforeKeys(t *testing.T) {
	for _, options := range []string{"", batchClient} {
		s := newSite(t)
		s.load(options, "oauth2_gate")
		keys := keyFile(t, s)
		var written []time.Time
		for _, path := range []string{filepath.Join(filepath.Dir(keys), "clients.json"), keys} {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			written = append(written, info.ModTime())
		}
		if written[0].After(written[1]) {
			t.Errorf("written at %v", written)
		}
	}
}
