package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/caddyserver/caddy/v2"
)

const storeKey = "the key with which Redis is sealed"

// inRedis are the options of a site whose state is in a Redis.
func inRedis(server *miniredis.Miniredis, keys ...string) string {
	lines := ""
	for _, key := range keys {
		lines += fmt.Sprintf("\t\t\tencryption_key %q\n", key)
	}
	return fmt.Sprintf("%s\n\t\tstore redis redis://%s {\n%s\t\t\ttimeout 500ms\n\t\t}", batchClient, server.Addr(), lines)
}

// All that must outlive Caddy is in Redis, and nobody who reads Redis learns a
// key, a client or a revoked token.
func TestRedisStore(t *testing.T) {
	server := miniredis.RunT(t)
	s := newSite(t)
	s.load(inRedis(server, storeKey), "oauth2_gate read")
	kept, revoked := s.token("read"), s.token("read")
	if status, _, body := s.post("/oauth2/revoke", "token="+url.QueryEscape(revoked)); status != 200 {
		t.Fatal(status, body)
	}
	s.replace(inRedis(server, storeKey), "oauth2_gate read") // as after a restart
	s.expect("/orders", kept, 200)
	s.expect("/orders", revoked, 401)
	dump := server.Dump()
	for _, word := range []string{"PRIVATE", "batch", `"keys"`, `"records"`, secret} {
		if strings.Contains(dump, word) {
			t.Errorf("Redis shows %q", word)
		}
	}
	if up := families(t)["caddy_oauth2_store_up"]; up != 1 {
		t.Errorf("store_up is %v", up)
	}
}

// Keys of encryption can be changed without a moment in which something cannot
// be read, and the old one is of no use to anybody then.
func TestRedisEncryptionKeyRotation(t *testing.T) {
	const newKey = "the next key with which Redis is sealed"
	server := miniredis.RunT(t)
	s := newSite(t)
	s.load(inRedis(server, storeKey), "oauth2_gate read")
	token := s.token("read")
	for _, keys := range [][]string{{storeKey, newKey}, {newKey, storeKey}, {newKey}} {
		s.replace(inRedis(server, keys...), "oauth2_gate read")
		s.expect("/orders", token, 200)
	}
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	err := s.tryLoad(inRedis(server, storeKey), "oauth2_gate read")
	if err == nil || !strings.Contains(err.Error(), "encryption key") || strings.Contains(err.Error(), storeKey) {
		t.Errorf("the old key: %v", err)
	}
}

// While Redis is away, what is known stays in force, and nothing is promised that
// cannot be kept.
func TestRedisAway(t *testing.T) {
	server := miniredis.RunT(t)
	s := newSite(t)
	options := inRedis(server, storeKey)
	s.load(options, "oauth2_gate read")
	before := s.token("read")
	server.Close()
	waitFor(t, "the store to be missed", func() bool { return families(t)["caddy_oauth2_store_up"] == 0 })

	s.expect("/orders", before, 200)
	s.expect("/orders", s.token("read"), 200)
	status, header, body := s.post("/oauth2/revoke", "token="+url.QueryEscape(before))
	if status != 503 || header.Get("Retry-After") == "" || !strings.Contains(body, "temporarily_unavailable") {
		t.Errorf("a revocation that cannot be stored: %d %v %s", status, header, body)
	}
	// What is not stored is not in force: other instances would not know of it.
	s.expect("/orders", before, 200)
	if err := s.tryLoad(options+"\n\t\ttoken_lifetime 5m", "oauth2_gate read"); err == nil || !strings.Contains(err.Error(), "store") {
		t.Errorf("a reload without the store: %v", err)
	}
	s.expect("/orders", before, 200)

	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the store to be there again", func() bool { return families(t)["caddy_oauth2_store_up"] == 1 })
	if status, _, body := s.post("/oauth2/revoke", "token="+url.QueryEscape(before)); status != 200 {
		t.Error(status, body)
	}
	s.expect("/orders", before, 401)
}

// A start without Redis is an error that says so, and shows no password.
func TestRedisMissingAtStart(t *testing.T) {
	server := miniredis.RunT(t)
	options := strings.Replace(inRedis(server, storeKey), "redis://", "redis://user:hunter2@", 1)
	server.Close()
	s := newSite(t)
	if err := s.tryLoad(options, "oauth2_gate read"); err == nil || !strings.Contains(err.Error(), "reaching Redis") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

// `caddy validate` judges the configuration and needs no Redis.
func TestRedisValidate(t *testing.T) {
	server := miniredis.RunT(t)
	options := inRedis(server, storeKey)
	server.Close()
	s := newSite(t)
	adapted, err := adapt(s.config(options, "oauth2_gate read"))
	if err != nil {
		t.Fatal(err)
	}
	var config caddy.Config
	if err := json.Unmarshal(adapted, &config); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Validate(&config); err != nil {
		t.Error(err)
	}
}

// waitFor waits until something holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited for %s", what)
		}
	}
}
