package keys

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// directory is an authorization server that answers at paths with texts, in
// which SELF is its own url.
type directory struct {
	*httptest.Server
	mu    sync.Mutex
	texts map[string]string
	asked []string
}

func newDirectory(t *testing.T, texts map[string]string) *directory {
	t.Helper()
	d := &directory{texts: texts}
	d.Server = quiet(httptest.NewServer(d))
	t.Cleanup(d.Close)
	return d
}

func (d *directory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, r.URL.Path)
	text, found := d.texts[r.URL.Path]
	if !found {
		http.NotFound(w, r)
		return
	}
	_, _ = fmt.Fprint(w, strings.ReplaceAll(text, "SELF", d.URL))
}

func (d *directory) put(path, text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.texts[path] = text
}

func (d *directory) requests() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.asked)
}

const (
	oauthPath  = "/.well-known/oauth-authorization-server/t1"
	openidPath = "/t1/.well-known/openid-configuration"
	goodDoc    = `{"issuer":"SELF/t1","jwks_uri":"SELF/keys"}`
)

func discovered(t *testing.T, d *directory, issuer string) *Remote {
	t.Helper()
	r, err := NewRemote(RemoteConfig{Issuer: issuer, Client: d.Client(), Interval: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The metadata says where the keys are, at one of two places; nothing is asked
// before it is needed, and the metadata once.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	for name, places := range map[string][]string{"RFC 8414": {oauthPath}, "OpenID Connect": {openidPath}, "both": {oauthPath, openidPath}} {
		d := newDirectory(t, map[string]string{"/keys": setOf(jwk(token.ES256).with("kid", "a"))})
		for _, place := range places {
			d.put(place, goodDoc)
		}
		r := discovered(t, d, d.URL+"/t1")
		if len(d.requests()) != 0 {
			t.Errorf("%s: asked at once", name)
		}
		for range 2 {
			if found, err := r.Find(t.Context(), "a", token.ES256); len(found) != 1 || err != nil {
				t.Errorf("%s: %v, %v", name, found, err)
			}
		}
		want := []string{oauthPath, "/keys"}
		if places[0] == openidPath {
			want = []string{oauthPath, openidPath, "/keys"}
		}
		if got := d.requests(); !slices.Equal(got, want) {
			t.Errorf("%s: asked %q", name, got)
		}
	}
}

// Metadata of another server, and what is none, brings no keys.
func TestDiscoveryRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"another issuer":         `{"issuer":"https://evil.example","jwks_uri":"SELF/keys"}`,
		"a slash more":           `{"issuer":"SELF/t1/","jwks_uri":"SELF/keys"}`,
		"no issuer":              `{"jwks_uri":"SELF/keys"}`,
		"issuer is a number":     `{"issuer":1,"jwks_uri":"SELF/keys"}`,
		"issuer twice":           `{"issuer":"https://evil.example","issuer":"SELF/t1","jwks_uri":"SELF/keys"}`,
		"in capitals":            `{"ISSUER":"SELF/t1","jwks_uri":"SELF/keys"}`,
		"no jwks_uri":            `{"issuer":"SELF/t1"}`,
		"jwks_uri is a list":     `{"issuer":"SELF/t1","jwks_uri":["SELF/keys"]}`,
		"jwks_uri over http":     `{"issuer":"SELF/t1","jwks_uri":"http://login.example/keys"}`,
		"jwks_uri is a file":     `{"issuer":"SELF/t1","jwks_uri":"file:///etc/passwd"}`,
		"jwks_uri with password": `{"issuer":"SELF/t1","jwks_uri":"https://me:pw@h/keys"}`,
		"not JSON":               `<html>`,
		"an array":               `[]`,
		"empty":                  ``,
		"endless":                `{"issuer":"SELF/t1","x":"` + strings.Repeat("x", MaxSetLength) + `"}`,
	} {
		d := newDirectory(t, map[string]string{"/keys": setOf(jwk(token.ES256).with("kid", "a")), oauthPath: text, openidPath: text})
		found, err := discovered(t, d, d.URL+"/t1").Find(t.Context(), "a", token.ES256)
		if len(found) != 0 || err == nil || strings.Contains(err.Error(), "evil") {
			t.Errorf("%s: %v, %v", name, found, err)
		}
		if slices.Contains(d.requests(), "/keys") {
			t.Errorf("%s: the keys were asked for", name)
		}
	}
	for _, issuer := range []string{"", "http://login.example", "ftp://h", "/t1"} {
		if _, err := NewRemote(RemoteConfig{Issuer: issuer}); err == nil {
			t.Errorf("issuer %q was taken", issuer)
		}
	}
}

// A server of another machine must not have this one ask around on loopback.
func TestDiscoveryStaysOutside(t *testing.T) {
	t.Parallel()
	inside := newDirectory(t, map[string]string{"/keys": setOf(jwk(token.ES256).with("kid", "a"))})
	outside := quiet(httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"issuer":"https://%s","jwks_uri":"%s/keys"}`, r.Host, inside.URL)
	})))
	t.Cleanup(outside.Close)
	r, err := NewRemote(RemoteConfig{Issuer: outside.URL, Client: outside.Client()})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := r.Find(t.Context(), "a", token.ES256); len(found) != 0 || err == nil || len(inside.requests()) != 0 {
		t.Errorf("%v, %v, asked %q", found, err, inside.requests())
	}
}

// Keys that have moved are found again.
func TestDiscoveryAgain(t *testing.T) {
	t.Parallel()
	d := newDirectory(t, map[string]string{"/keys": setOf(jwk(token.ES256).with("kid", "a")), oauthPath: goodDoc})
	r := discovered(t, d, d.URL+"/t1")
	if found, err := r.Find(t.Context(), "a", token.ES256); len(found) != 1 || err != nil {
		t.Fatalf("%v, %v", found, err)
	}
	d.mu.Lock()
	delete(d.texts, "/keys")
	d.mu.Unlock()
	d.put("/moved", setOf(jwk(token.ES256).with("kid", "b")))
	d.put(oauthPath, strings.Replace(goodDoc, "keys", "moved", 1))
	if found, err := r.Find(t.Context(), "b", token.ES256); len(found) != 0 || err == nil {
		t.Fatalf("%v, %v", found, err) // the former place answers no longer
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		found, err := r.Find(t.Context(), "b", token.ES256)
		if len(found) == 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v, %v", found, err)
		}
	}
}
