package caddymodule_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store/redis"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// otherInstance is the store as another Caddy has it.
func otherInstance(t *testing.T, s *site, server *miniredis.Miniredis) *redis.Store {
	t.Helper()
	other, err := redis.New(redis.Config{URL: "redis://" + server.Addr(), Issuer: s.url, EncryptionKeys: []string{storeKey}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	if err := other.Resume(t.Context(), false, time.Hour); err != nil {
		t.Fatal(err)
	}
	return other
}

// Who guesses at another instance is blocked here too.
func TestRedisSharesFailures(t *testing.T) {
	s, server := newSite(t), miniredis.RunT(t)
	s.load(inRedis(server, storeKey), "oauth2_gate read")
	s.token("read")
	exchange := client.NewFailureExchange(otherInstance(t, s, server))
	failures := client.NewFailures(time.Now, exchange)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { exchange.Send(ctx) })
	limit := client.FailureLimit{Count: 10, Per: time.Minute}
	waitFor(t, "429 here for what failed elsewhere", func() bool {
		failures.Count(limit, "batch", "127.0.0.1") // again, since listening begins in its own time
		status, _, _ := s.post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}}.Encode())
		return status == http.StatusTooManyRequests
	})
	cancel()
	group.Wait()
}

// signingClient is a client that signs.
func signingClient(t *testing.T, key tokentest.Key) string {
	t.Helper()
	return "\n client signer {\n scopes read\n jwks `" + tokentest.Set(t, key) + "`\n }"
}

// assert asks for a token with an assertion.
func (s *site) assert(key tokentest.Key, id string) (status int, header http.Header, body string) {
	s.t.Helper()
	return s.askWith(s.assertion(key, id))
}

func (s *site) assertion(key tokentest.Key, id string) string {
	s.t.Helper()
	now := time.Now().Unix()
	return key.Sign(s.t, tokentest.Members{"kid": key.Thumbprint(s.t)}, tokentest.Members{
		"iss": "signer", "sub": "signer", "aud": s.url, "iat": now, "exp": now + 60, "jti": id,
	})
}

func (s *site) askWith(assertion string) (status int, header http.Header, body string) {
	s.t.Helper()
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_assertion": {assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.send(r)
}

// An assertion passes once in all instances and over a restart, and none while
// Redis is away: that it was not used elsewhere cannot be known.
func TestRedisSharesMarks(t *testing.T) {
	s, server, key := newSite(t), miniredis.RunT(t), tokentest.NewKey(t, "ES256")
	options := inRedis(server, storeKey) + signingClient(t, key)
	s.load(options, "oauth2_gate read")
	elsewhere := store.Mark{Kind: store.KindAssertion, Owner: "signer", ID: "elsewhere", Until: time.Now().Add(time.Minute)}
	if err := otherInstance(t, s, server).Mark(t.Context(), elsewhere); err != nil {
		t.Fatal(err)
	}
	expect := func(id string, want int) http.Header {
		t.Helper()
		status, header, body := s.assert(key, id)
		if status != want {
			t.Errorf("%s: %d %s, expected %d", id, status, body, want)
		}
		return header
	}
	expect("elsewhere", 401)
	expect("here", 200)
	s.replace(options, "oauth2_gate read")
	expect("here", 401)
	server.Close()
	if header := expect("away", 503); header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "assertions pass again", func() bool {
		status, _, _ := s.assert(key, fmt.Sprint(time.Now().UnixNano()))
		return status == 200
	})
}

// Where Redis loses all that it has, an assertion from before does not pass once
// more. The next one does, and the log tells.
func TestRedisLosesMarks(t *testing.T) {
	s, server, key := newSite(t), miniredis.RunT(t), tokentest.NewKey(t, "ES256")
	path := filepath.Join(t.TempDir(), "log")
	s.loadText(strings.Replace(s.config(inRedis(server, storeKey)+signingClient(t, key), "oauth2_gate read"),
		"output discard", "output file "+path, 1))
	before := s.assertion(key, "before")
	if status, _, body := s.askWith(before); status != 200 {
		t.Fatal(status, body)
	}
	server.FlushAll()
	waitFor(t, "the log tells", func() bool {
		text, err := os.ReadFile(path) //nolint:gosec // a file of the test
		return err == nil && strings.Contains(string(text), "has lost which client assertions")
	})
	if status, _, body := s.askWith(before); status != 401 {
		t.Errorf("used once more: %d %s", status, body)
	}
	known := time.Now().Unix()
	waitFor(t, "the next second", func() bool { return time.Now().Unix() > known })
	if status, _, body := s.assert(key, "after"); status != 200 {
		t.Errorf("one that was made afterwards: %d %s", status, body)
	}
}

// A variable that is not set is an error that names the subdirective, and no
// error quotes what was set.
func TestRedisPlaceholders(t *testing.T) {
	s := newSite(t)
	t.Setenv("CADDY_TEST_SHORT", "hush-hush")
	t.Setenv("CADDY_TEST_URL", "http://user:hush-hush@localhost")
	for name, test := range map[string][2]string{
		"url not set":      {"redis {env.CADDY_TEST_NONE} {\nencryption_key {env.CADDY_TEST_SHORT}\n}", "store redis: url: "},
		"key not set":      {"redis redis://localhost {\nencryption_key {env.CADDY_TEST_NONE}\n}", "store redis: encryption_key: "},
		"key too short":    {"redis redis://localhost {\nencryption_key {env.CADDY_TEST_SHORT}\n}", "store redis: encryption_key: "},
		"no url of Redis":  {"redis {env.CADDY_TEST_URL} {\nencryption_key \"" + storeKey + "\"\n}", "store redis: url: "},
		"password not set": {"redis redis://localhost {\nencryption_key \"" + storeKey + "\"\npassword {env.CADDY_TEST_NONE}\n}", "store redis: password: "},
		"no file":          {"redis rediss://localhost {\nencryption_key \"" + storeKey + "\"\ntls_ca /none.pem\n}", "store redis: tls_ca: "},
	} {
		err := s.tryLoad(batchClient+"\nstore "+test[0], "oauth2_gate read")
		if err == nil || !strings.Contains(err.Error(), test[1]) || strings.Contains(err.Error(), "hush-hush") || strings.Contains(err.Error(), storeKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
