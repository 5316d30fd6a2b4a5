package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/intercept"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy/forwardauth"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage"
	_ "github.com/caddyserver/caddy/v2/modules/logging"

	_ "github.com/dd99cb49/caddy-client-credentials/caddymodule"
)

const secret = "the secret of the batch client"

// site is a Caddy in this process: there can be one at a time, so tests that
// use it do not run in parallel.
type site struct {
	t        *testing.T
	url      string
	storage  string
	upstream *upstream
}

// upstream is the legacy API: it keeps what reached it.
type upstream struct {
	*httptest.Server
	mutex sync.Mutex
	seen  []*http.Request
}

func newUpstream(t *testing.T) *upstream {
	u := &upstream{}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		u.mutex.Lock()
		defer u.mutex.Unlock()
		u.seen = append(u.seen, r)
		_, _ = io.WriteString(w, "from the API")
	}))
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) take() []*http.Request {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	seen := u.seen
	u.seen = nil
	return seen
}

func newSite(t *testing.T) *site {
	t.Helper()
	address := freeAddress(t)
	storage := t.TempDir() // is removed after what is registered below has stopped Caddy
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &site{t: t, url: "http://" + address, storage: storage, upstream: newUpstream(t)}
}

// config is a Caddyfile with the site around the given options and directives.
func (s *site) config(options, directives string) string {
	return fmt.Sprintf(`{
	admin off
	persist_config off
	auto_https off
	storage file_system %q
	log {
		output discard
	}
	oauth2 {
		issuer %s
		%s
	}
}
%s {
	oauth2_issuer
	%s
	reverse_proxy %s
}`, s.storage, s.url, options, s.url, directives, s.upstream.Listener.Addr())
}

const batchClient = `
		client batch {
			secret "` + secret + `"
			scopes read write
		}`

func adapt(caddyfile string) ([]byte, error) {
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	return adapted, err
}

// loadText makes a whole Caddyfile the running configuration.
func (s *site) loadText(caddyfile string) {
	s.t.Helper()
	adapted, err := adapt(caddyfile)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := caddy.Load(adapted, true); err != nil {
		s.t.Fatal(err)
	}
}

// tryLoad makes a configuration the running one, or leaves the running one.
func (s *site) tryLoad(options, directives string) error {
	adapted, err := adapt(s.config(options, directives))
	if err != nil {
		return err
	}
	return caddy.Load(adapted, true)
}

func (s *site) load(options, directives string) {
	s.t.Helper()
	if err := s.tryLoad(options, directives); err != nil {
		s.t.Fatal(err)
	}
}

// replace stops Caddy and loads a configuration. A reload is no good where each
// row of a table has one: its listener may hand a last request to the old one.
func (s *site) replace(options, directives string) {
	s.t.Helper()
	if err := caddy.Stop(); err != nil {
		s.t.Fatal(err)
	}
	s.load(options, directives)
}

// token asks for an access token of the client batch.
func (s *site) token(scope string) string {
	s.t.Helper()
	status, _, body := s.post("/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}.Encode())
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 {
		s.t.Fatalf("token: %d %s %v", status, body, err)
	}
	return answer.AccessToken
}

// post sends a form as the client batch.
func (s *site) post(path, form string) (status int, header http.Header, body string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, strings.NewReader(form))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("batch", url.QueryEscape(secret))
	return s.send(r)
}

// connections are new for each request, since reloads close idle ones.
var connections = &http.Transport{DisableKeepAlives: true}

func (s *site) send(r *http.Request) (status int, header http.Header, body string) {
	s.t.Helper()
	response, err := connections.RoundTrip(r)
	// Caddy closes connections of an old configuration on which no request has
	// arrived yet; a client then tries again, and so does this one.
	for tries := 0; err != nil && tries < 3; tries++ {
		if r.GetBody != nil {
			r.Body, _ = r.GetBody()
		}
		response, err = connections.RoundTrip(r)
	}
	if err != nil {
		s.t.Error(err)
		return 0, nil, ""
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Error(err)
	}
	return response.StatusCode, response.Header, string(text)
}

// get requests a path, with a token where one is given.
func (s *site) get(path, token string) (status int, header http.Header, body string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return s.send(r)
}

// expect requests a path and compares the status.
func (s *site) expect(path, token string, want int) (header http.Header, body string) {
	s.t.Helper()
	status, header, body := s.get(path, token)
	if status != want {
		s.t.Fatalf("GET %s: got %d %s, want %d", path, status, body, want)
	}
	return header, errorID.ReplaceAllString(body, `"error_id":"ID"`)
}

// errorID is the part of a refusal that is another one each time.
var errorID = regexp.MustCompile(`"error_id":"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"`)
