package issuer_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
)

// Where endpoints and metadata are, for issuers with and without a path
// (RFC 8414 section 3.1, OpenID Connect Discovery section 4).
func TestMountedPaths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url   string
		paths issuer.Paths
		want  []string
	}{
		{"https://as.example", issuer.Paths{}, []string{
			"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
			"/oauth2/introspect", "/oauth2/jwks", "/oauth2/revoke", "/oauth2/token",
		}},
		{"https://as.example/", issuer.Paths{}, []string{
			"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
			"/oauth2/introspect", "/oauth2/jwks", "/oauth2/revoke", "/oauth2/token",
		}},
		{"https://as.example/t1", issuer.Paths{Token: []string{"/token", "/oauth2/v1/token"}, JWKS: "/keys", Introspection: "/inspect", Revocation: issuer.Off}, []string{
			"/.well-known/oauth-authorization-server/t1", "/.well-known/openid-configuration/t1",
			"/t1/.well-known/openid-configuration", "/t1/inspect", "/t1/keys", "/t1/oauth2/v1/token", "/t1/token",
		}},
	} {
		s := newServer(t, func(config *issuer.Config, paths *issuer.Paths) { config.URL, *paths = c.url, c.paths })
		var have []string
		for path := range s.handlers {
			have = append(have, path)
		}
		slices.Sort(have)
		if !slices.Equal(have, c.want) {
			t.Errorf("%s: got %v", c.url, have)
		}
	}
}

// The document says what is configured and works, and nothing else.
func TestMetadataDocument(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(config *issuer.Config, paths *issuer.Paths) {
		config.URL, paths.Token = "https://as.example/t1", []string{"/token", "/other"}
		paths.Revocation = issuer.Off
	})
	oauth := s.do(httptest.NewRequest(http.MethodGet, "/.well-known/oauth-authorization-server/t1", nil))
	openid := s.do(httptest.NewRequest(http.MethodGet, "/t1/.well-known/openid-configuration", nil))
	if oauth.Body.String() != openid.Body.String() || oauth.Header().Get("Content-Type") != "application/json" {
		t.Fatal("the two documents differ")
	}
	const want = `{"issuer":"https://as.example/t1","token_endpoint":"https://as.example/t1/token",` +
		`"jwks_uri":"https://as.example/t1/oauth2/jwks","scopes_supported":["orders:read","orders:write","stock:read"],` +
		`"response_types_supported":[],"grant_types_supported":["client_credentials"],` +
		`"token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"],` +
		`"protected_resources":["https://api.example/orders","https://api.example/stock"],` +
		`"introspection_endpoint":"https://as.example/t1/oauth2/introspect",` +
		`"introspection_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"],` +
		`"dpop_signing_alg_values_supported":["ES256","ES384","EdDSA","Ed25519","RS256","PS256"]}`
	if oauth.Body.String() != want {
		t.Fatalf("got %s", oauth.Body)
	}
}

// The key set is public, cacheable, and holds no private part (RFC 7517).
func TestJWKS(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := s.do(httptest.NewRequest(http.MethodGet, issuer.DefaultJWKSPath, nil))
	etag := w.Header().Get("ETag")
	if w.Code != 200 || etag == "" || !strings.Contains(w.Header().Get("Cache-Control"), "max-age=300") {
		t.Fatalf("got %d %v", w.Code, w.Header())
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("%v in %s", err, w.Body)
	}
	for name := range set.Keys[0] {
		if !slices.Contains([]string{"kty", "crv", "x", "y", "use", "alg", "kid"}, name) {
			t.Errorf("member %q", name)
		}
	}
	again := httptest.NewRequest(http.MethodGet, issuer.DefaultJWKSPath, nil)
	again.Header.Set("If-None-Match", etag)
	if w := s.do(again); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("with the entity tag: %d", w.Code)
	}
	head := s.do(httptest.NewRequest(http.MethodHead, issuer.DefaultJWKSPath, nil))
	if head.Code != 200 || head.Body.Len() != 0 {
		t.Errorf("HEAD: %d %s", head.Code, head.Body)
	}
	post := s.do(httptest.NewRequest(http.MethodPost, issuer.DefaultJWKSPath, nil))
	if post.Code != 405 || post.Header().Get("Allow") != "GET, HEAD" || post.Header().Get("ETag") != "" {
		t.Errorf("POST: %d %v", post.Code, post.Header())
	}
	read(t, post)
}

// A document comes as a whole, whatever part of it somebody asks for: clients
// get nothing but JSON.
func TestDocumentsComeWhole(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, path := range []string{issuer.DefaultJWKSPath, "/.well-known/oauth-authorization-server"} {
		whole := s.do(httptest.NewRequest(http.MethodGet, path, nil))
		for _, field := range [][2]string{
			{"Range", "bytes=0-3"}, {"Range", "bytes=-5"}, {"Range", "bytes=0-1,4-5"}, {"Range", "bytes=999999-"}, {"Range", "nonsense"},
			{"If-Unmodified-Since", "Mon, 01 Jan 2001 00:00:00 GMT"}, {"If-None-Match", `"other"`},
		} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set(field[0], field[1])
			r.Header.Set("If-Range", whole.Header().Get("ETag"))
			w := s.do(r)
			if w.Code != 200 || w.Body.String() != whole.Body.String() || w.Header().Get("Content-Type") != "application/json" ||
				w.Header().Get("Content-Range") != "" || w.Header().Get("Accept-Ranges") != "none" {
				t.Errorf("%s, %v: %d %v %s", path, field, w.Code, w.Header(), w.Body)
			}
		}
	}
}

// A key that is published an hour ahead must not sit in caches for longer.
func TestJWKSCaching(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(config *issuer.Config, _ *issuer.Paths) { config.PublishAhead = 60e9 })
	w := s.do(httptest.NewRequest(http.MethodGet, issuer.DefaultJWKSPath, nil))
	if got := w.Header().Get("Cache-Control"); got != "public, max-age=30" {
		t.Fatalf("got %q", got)
	}
}

func TestNewRefusesIncompleteConfig(t *testing.T) {
	t.Parallel()
	if _, err := issuer.New(issuer.Config{}); err == nil {
		t.Fatal("no error")
	}
}

// The metadata tells of the clients that there are now, also where they came
// after the start.
func TestMetadataFollowsClients(t *testing.T) {
	t.Parallel()
	secret, err := client.NewPlainSecret("", "a secret of sixteen bytes or more", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var registry *client.Registry
	s := newServerOf(t, []client.Client{{ID: "jwt", Keys: keys.NewHeld(nil)}}, func(config *issuer.Config, _ *issuer.Paths) {
		registry = config.Clients
	})
	methods := func() (methods []string) {
		t.Helper()
		w := httptest.NewRecorder()
		s.handlers["/.well-known/oauth-authorization-server"](w, httptest.NewRequest(http.MethodGet, "/", nil), issuer.Peer{})
		var document struct {
			Methods []string `json:"token_endpoint_auth_methods_supported"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
			t.Fatal(err)
		}
		return document.Methods
	}
	with, without := []string{"client_secret_basic", "client_secret_post", "private_key_jwt"}, []string{"private_key_jwt"}
	if got := methods(); !slices.Equal(got, without) {
		t.Errorf("before: %v", got)
	}
	if err := registry.Update([]*client.Client{{ID: "later", Secrets: []client.Secret{secret}}}, nil); err != nil {
		t.Fatal(err)
	}
	if got := methods(); !slices.Equal(got, with) {
		t.Errorf("after: %v", got)
	}
	if err := registry.Update(nil, []string{"later"}); err != nil {
		t.Fatal(err)
	}
	if got := methods(); !slices.Equal(got, without) {
		t.Errorf("removed again: %v", got)
	}
}
