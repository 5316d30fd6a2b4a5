package caddymodule_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/dd99cb49/caddy-client-credentials/caddymodule"
)

// written is a file with the site's configuration.
func (s *site) written(options string) (path string) {
	s.t.Helper()
	path = filepath.Join(s.t.TempDir(), "Caddyfile")
	if err := os.WriteFile(path, []byte(s.config(options, "oauth2_gate read")), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// moved is the site on another storage.
func (s *site) moved() *site {
	other := *s
	other.storage = s.t.TempDir()
	return &other
}

func mustCopy(t *testing.T, from, to string) (documents []string) {
	t.Helper()
	out, said, err := caddymodule.Command("store", "copy", "--from", from, "--to", to, "--json")
	var answer struct{ Documents []string }
	if err != nil || json.Unmarshal([]byte(out), &answer) != nil || len(answer.Documents) < 3 {
		t.Fatalf("%v %s %s", err, out, said)
	}
	return answer.Documents
}

// An issuer moves from Caddy's storage to Redis and on to another storage: keys, clients,
// revocations and what disabled clients lost are there as before, and nothing of it is
// legible in Redis.
func TestStoreCopyMovesAnIssuer(t *testing.T) {
	s := newAdminSite(t)
	server := miniredis.RunT(t)
	s.mustReload(batchClient, "oauth2_gate read")
	made := s.mustClient(http.StatusCreated, "POST", "", `{"client_id":"made","scopes":["read"]}`)
	off := s.mustClient(http.StatusCreated, "POST", "", `{"client_id":"off","scopes":["read"]}`)
	good, revoked, old := s.token("read"), s.token("read"), s.tokenFor("off", off.Secret)
	s.mustClient(http.StatusOK, "PATCH", "/off", `{"disabled":true}`)
	s.mustClient(http.StatusOK, "PATCH", "/off", `{"disabled":false}`)
	if status, _, body := s.post("/oauth2/revoke", "token="+revoked); status != 200 {
		t.Fatal(status, body)
	}
	s.stop()
	other := s.moved()
	for _, step := range []struct{ from, to, options string }{
		{s.written(batchClient), s.written(inRedis(server, storeKey)), inRedis(server, storeKey)},
		{s.written(inRedis(server, storeKey)), other.written(batchClient), batchClient},
	} {
		mustCopy(t, step.from, step.to)
		mustCopy(t, step.from, step.to) // again, as after an error
		if step.options == batchClient {
			s.site = other
		}
		s.mustReload(step.options, "oauth2_gate read")
		s.expect("/", good, 200)
		s.expect("/", s.tokenFor("made", made.Secret), 200)
		s.expect("/", s.tokenFor("off", off.Secret), 200)
		s.expect("/", revoked, 401)
		s.expect("/", old, 401)
		s.stop()
	}
	if dump := server.Dump(); strings.Contains(dump, "PRIVATE") || strings.Contains(dump, "made") {
		t.Error("Redis shows what is stored")
	}
}

// A store that has other state is left as it is, and so is one of another issuer: the
// error says what was expected. Nothing is made where there is nothing to copy.
func TestStoreCopyRefuses(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, "oauth2_gate read")
	s.replace(batchClient, "oauth2_gate read")
	full := s.written(batchClient)
	another := s.moved()
	another.load(batchClient, "oauth2_gate read")
	taken := another.written(batchClient)
	empty, target := s.moved(), s.moved()
	foreign := *s.moved()
	foreign.url = "http://localhost:1"
	plain := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(plain, []byte("localhost\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := miniredis.RunT(t)
	away := s.written(inRedis(server, storeKey))
	server.Close()
	before := files(t, another.storage)
	for says, arguments := range map[string][]string{
		"--from: expected a configuration file":    {"--to", full},
		"--to: expected a configuration file":      {"--from", full},
		"the same store":                           {"--from", full, "--to", full},
		"different issuers":                        {"--from", full, "--to", foreign.written(batchClient)},
		"no issuer has run on this store":          {"--from", empty.written(batchClient), "--to", target.written(batchClient)},
		"there is another one already":             {"--from", full, "--to", taken},
		"has no issuer":                            {"--from", plain, "--to", full},
		"unknown command":                          {"word", "--from", full, "--to", taken},
		"--to: reaching Redis":                     {"--from", full, "--to", away},
		"open " + filepath.Join(plain, "nowhere"):  {"--from", filepath.Join(plain, "nowhere"), "--to", full},
		"env.OAUTH2_TEST_UNSET_VARIABLE_OF_A_NAME": {"--from", full, "--to", s.written(inRedis(miniredis.RunT(t), "{env.OAUTH2_TEST_UNSET_VARIABLE_OF_A_NAME}"))},
	} {
		out, _, err := caddymodule.Command(append([]string{"store", "copy"}, arguments...)...)
		if err == nil || out != "" || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v %s", says, err, out)
		}
	}
	for name, content := range files(t, another.storage) {
		if strings.HasSuffix(name, ".json") && before[name] != content {
			t.Errorf("%s became %s", name, content)
		}
	}
	if made := files(t, target.storage); len(made) != 0 {
		t.Errorf("made %v", made)
	}
}
