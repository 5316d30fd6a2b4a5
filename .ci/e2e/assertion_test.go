package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

const assertionCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		AUDIENCE
		client file {
			jwks {env.FOLDER}/keys.json
			scopes orders:read
		}
		client inline {
			jwks ` + "`JWKS`" + `
			scopes orders:read
		}
		client remote {
			jwks_uri {env.KEYS_URL}
			scopes orders:read
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate orders:read
	reverse_proxy {$UPSTREAM}
}
`

// signing is an instance whose clients sign, and their keys.
type signing struct {
	*instance
	folder    string
	key       tokentest.Key // of all three clients at first
	served    atomic.Pointer[string]
	fetches   atomic.Int64
	caddyfile string
}

func launchSigning(t *testing.T) *signing {
	t.Helper()
	s := &signing{folder: t.TempDir(), key: tokentest.NewKey(t, "ES256")}
	set := tokentest.Set(t, s.key)
	s.served.Store(&set)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.fetches.Add(1)
		_, _ = w.Write([]byte(*s.served.Load()))
	}))
	t.Cleanup(server.Close)
	s.writeKeys(t, set)
	s.caddyfile = replace(assertionCaddyfile, "JWKS`", set+"`", "AUDIENCE", "")
	s.instance = launch(t, s.caddyfile, "FOLDER="+s.folder, "KEYS_URL="+server.URL+"/jwks")
	return s
}

func (s *signing) writeKeys(t *testing.T, text string) {
	t.Helper()
	path := filepath.Join(s.folder, "keys.json")
	writeFile(t, path+".new", text)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

var jtis atomic.Int64

// assertion is one of the client, made now.
func assertion(t *testing.T, key tokentest.Key, id string, change tokentest.Members) string {
	t.Helper()
	now := time.Now().Unix()
	return key.Sign(t, tokentest.Members{"kid": key.Thumbprint(t)}, tokentest.Members{
		"iss": id, "sub": id, "aud": "http://localhost", "iat": now, "exp": now + 60, "jti": fmt.Sprint(now, "-", jtis.Add(1)),
	}.With(change))
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

func (c *instance) assert(t *testing.T, raw string, pairs ...string) answer {
	t.Helper()
	return c.send(t, http.MethodPost, "/oauth2/token", form(append([]string{
		"grant_type", "client_credentials", "client_assertion_type", assertionType, "client_assertion", raw,
	}, pairs...)...), formType)
}

// A client gets a token for an assertion, whatever its keys come from; the
// token opens the API.
func TestAssertion(t *testing.T) {
	t.Parallel()
	s := launchSigning(t)
	for _, id := range []string{"file", "inline", "remote"} {
		got := s.assert(t, assertion(t, s.key, id, nil), "client_id", id)
		got.wantStatus(t, 200)
		token, _ := got.members(t)["access_token"].(string)
		s.get(t, "/orders", bearer(token)).wantStatus(t, 200)
		s.upstream.only(t).one(t, "X-Client-Id", id)
	}
	s.assert(t, assertion(t, tokentest.NewKey(t, "ES256"), "file", nil)).wantError(t, 401, "invalid_client")
	s.assert(t, assertion(t, s.key, "nobody", nil)).wantError(t, 401, "invalid_client")
	if err := s.await(`"reason":"unknown_client"`, patience); err != nil {
		t.Error(err)
	}
}

// One assertion, one token: of many at once, after a reload, and after a restart
// in order.
func TestAssertionReplay(t *testing.T) {
	t.Parallel()
	s := launchSigning(t)
	raw := assertion(t, s.key, "file", nil)
	var passed atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			got, err := s.try(http.MethodPost, "/oauth2/token", form(
				"grant_type", "client_credentials", "client_assertion_type", assertionType, "client_assertion", raw), formType)
			if err != nil {
				t.Error(err)
			} else if got.status == 200 {
				passed.Add(1)
			}
		})
	}
	all.Wait()
	if passed.Load() != 1 {
		t.Fatalf("%d passed", passed.Load())
	}
	other := assertion(t, s.key, "inline", nil)
	s.assert(t, other).wantStatus(t, 200)
	if got := s.reload(t, s.caddyfile, "--force"); got.code != 0 {
		t.Fatal(got.all())
	}
	s.assert(t, other).wantError(t, 401, "invalid_client")
	s.stop(t)
	s.start(t)
	s.assert(t, other).wantError(t, 401, "invalid_client")
	s.assert(t, assertion(t, s.key, "inline", nil)).wantStatus(t, 200)
}

// After a crash nobody knows what was used: what was made before is refused.
func TestAssertionAfterCrash(t *testing.T) {
	t.Parallel()
	s := launchSigning(t)
	used, unused := assertion(t, s.key, "file", nil), assertion(t, s.key, "inline", nil)
	undated := assertion(t, s.key, "inline", tokentest.Members{"iat": nil})
	s.assert(t, used).wantStatus(t, 200)
	if err := s.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.exited
	s.start(t)
	for _, raw := range []string{used, unused, undated, assertion(t, s.key, "inline", tokentest.Members{"iat": nil})} {
		s.assert(t, raw).wantError(t, 401, "invalid_client")
	}
	if err := s.await(`"reason":"assertion_stale"`, patience); err != nil {
		t.Error(err)
	}
	// The second of the start is over soon: then all is as before.
	deadline := time.Now().Add(patience)
	for s.assert(t, assertion(t, s.key, "inline", nil)).status != 200 {
		if time.Now().After(deadline) {
			t.Fatal("new assertions are refused")
		}
	}
}

// A file with keys is read again when it changes; a broken one is reported and
// changes nothing.
func TestKeyFileChanges(t *testing.T) {
	t.Parallel()
	s := launchSigning(t)
	next := tokentest.NewKey(t, "EdDSA")
	s.assert(t, assertion(t, next, "file", nil)).wantError(t, 401, "invalid_client")
	s.writeKeys(t, tokentest.Set(t, s.key, next))
	if err := s.await("a changed file was read again", patience); err != nil {
		t.Fatal(err)
	}
	s.assert(t, assertion(t, next, "file", nil)).wantStatus(t, 200)
	s.writeKeys(t, `{"keys":[{"kty":"oct","k":"aHVzaC1odXNoLWh1c2gtaHVzaA"}]}`)
	if err := s.await("a changed file cannot be used", patience); err != nil {
		t.Fatal(err)
	}
	s.assert(t, assertion(t, next, "file", nil)).wantStatus(t, 200)
	s.assert(t, assertion(t, s.key, "file", nil)).wantStatus(t, 200)
	s.wantFailure(t, s.reload(t, s.caddyfile, "--force"), `client "file": jwks`)
	s.assert(t, assertion(t, next, "file", nil)).wantStatus(t, 200)
	s.writeKeys(t, tokentest.Set(t, next))
	if got := s.reload(t, s.caddyfile, "--force"); got.code != 0 {
		t.Fatal(got.all())
	}
	s.assert(t, assertion(t, s.key, "file", nil)).wantError(t, 401, "invalid_client")
}

// Keys behind a url are fetched when they are needed; a new one is known to its
// first use, strangers make no storm, and a server that is down harms nobody.
func TestKeysBehindURL(t *testing.T) {
	t.Parallel()
	s := launchSigning(t)
	if s.fetches.Load() != 0 {
		t.Error("fetched before it was needed")
	}
	s.assert(t, assertion(t, s.key, "remote", nil)).wantStatus(t, 200)
	next := tokentest.NewKey(t, "ES384")
	set := tokentest.Set(t, next)
	s.served.Store(&set)
	s.assert(t, assertion(t, next, "remote", nil)).wantStatus(t, 200)
	if got := s.fetches.Load(); got != 2 {
		t.Errorf("%d fetches", got)
	}
	s.assert(t, assertion(t, s.key, "remote", nil)).wantError(t, 401, "invalid_client") // taken out
	nonsense := "gone"
	s.served.Store(&nonsense)
	if got := s.reload(t, s.caddyfile, "--force"); got.code != 0 {
		t.Fatal(got.all())
	}
	s.assert(t, assertion(t, next, "remote", nil)).wantStatus(t, 200)
}

// The audience is the issuer's url, unless the operator says more.
func TestAssertionAudience(t *testing.T) {
	t.Parallel()
	s := launchSigning(t)
	atEndpoint := tokentest.Members{"aud": "http://localhost/oauth2/token"}
	s.assert(t, assertion(t, s.key, "file", atEndpoint)).wantError(t, 401, "invalid_client")
	s.mustReload(t, replace(assertionCaddyfile, "JWKS`", tokentest.Set(t, s.key)+"`", "AUDIENCE", "assertion_audience endpoint"))
	s.assert(t, assertion(t, s.key, "file", atEndpoint)).wantStatus(t, 200)
	s.assert(t, assertion(t, s.key, "file", nil)).wantStatus(t, 200)
	s.assert(t, assertion(t, s.key, "file", tokentest.Members{"aud": []string{"http://localhost"}})).wantError(t, 401, "invalid_client")
}

// Files and urls that cannot be used are load errors that name client and
// subdirective.
func TestCredentialsLoadErrors(t *testing.T) {
	t.Parallel()
	s := launchSigning(t)
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "private.json"), jsonText(t, object{"keys": []any{s.key.PrivateJWK()}}))
	writeFile(t, filepath.Join(folder, "text"), "hush-hush")
	for line, expected := range map[string]string{
		"jwks " + folder + "/missing.json":                     `client "c": jwks: file ` + folder + `/missing.json does not exist`,
		"jwks " + folder + "/private.json":                     `client "c": jwks: file ` + folder + `/private.json: key 1`,
		"jwks " + folder + "/text":                             `client "c": jwks: file ` + folder + `/text`,
		"jwks {env.UNSET_JWKS}":                                `client "c": jwks: `,
		"jwks_uri {env.UNSET_URI}":                             `client "c": jwks_uri: `,
		"self_signed_tls_client_auth " + folder + "/text":      `client "c": self_signed_tls_client_auth: file ` + folder + `/text`,
		"self_signed_tls_client_auth " + folder + "/missing":   `client "c": self_signed_tls_client_auth: file `,
		"tls_client_auth san_dns {env.UNSET_NAME}":             `client "c": tls_client_auth: `,
		"tls_client_auth {env.FOLDER} a.example":               `client "c": tls_client_auth: kind: `,
		"jwks " + folder + "\njwks_uri https://h.example/jwks": `client "c": jwks_uri: stands beside jwks`,
	} {
		text := replace(s.caddyfile, "client file {", "client c {\n"+line+"\n}\nclient file {")
		got := s.reload(t, text)
		s.wantFailure(t, got, expected)
		for _, hidden := range []string{"hush-hush", s.key.PrivateJWK()["d"].(string)} {
			if contains(got.all(), hidden) {
				t.Errorf("%s: the message quotes the file", line)
			}
		}
	}
	s.assert(t, assertion(t, s.key, "file", nil)).wantStatus(t, 200)
}
