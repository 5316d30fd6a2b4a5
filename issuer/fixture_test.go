package issuer_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

const (
	issuerURL = "https://as.example"
	secret    = "a secret of the batch client"
	ordersAPI = "https://api.example/orders"
	stockAPI  = "https://api.example/stock"
)

var start = time.Unix(1_800_000_000, 0)

// server is an issuer with two resources and a handful of clients.
type server struct {
	t        testing.TB
	ring     *keys.Ring
	handlers map[string]issuer.Handler
	made     *issuer.Server
	events   *events
}

// events keeps what the observer is told.
type events struct {
	mutex sync.Mutex
	list  []issuer.Event
	off   bool // nothing is kept
}

func (e *events) Answered(_ context.Context, event *issuer.Event) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.off {
		return
	}
	e.list = append(e.list, *event)
}

func (e *events) last() issuer.Event {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.list[len(e.list)-1]
}

func plain(t testing.TB, id, text string, expires time.Time) client.Secret {
	t.Helper()
	made, err := client.NewPlainSecret(id, text, expires)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func testClients(t testing.TB) []client.Client {
	both := []string{ordersAPI, stockAPI}
	return []client.Client{
		{
			ID: "batch", Secrets: []client.Secret{plain(t, "", secret, time.Time{})},
			Scopes: token.Scopes{"orders:read", "orders:write", "stock:read"}, Resources: both,
		},
		{
			ID: "a:b", Subject: "urn:example:ab", Roles: []string{"clerk"}, Claims: map[string]any{"tenant": "acme"},
			Secrets: []client.Secret{
				plain(t, "old", "p%q+r s and some more", start.Add(time.Hour)),
				plain(t, "new", "schlüssel größer als ß", time.Time{}),
				plain(t, "gone", "expired since yesterday", start.Add(-time.Second)),
			},
			Scopes: token.Scopes{"orders:read"}, Resources: []string{ordersAPI}, TokenLifetime: 90 * time.Second,
		},
		{ID: "off", Disabled: true, Secrets: []client.Secret{plain(t, "", secret, time.Time{})}, Scopes: token.Scopes{"orders:read"}, Resources: both},
		{ID: "bare", Resources: both},
	}
}

func newServer(t testing.TB, change ...func(*issuer.Config, *issuer.Paths)) *server {
	t.Helper()
	return newServerOf(t, testClients(t), change...)
}

// newServerOf is the same with other clients.
func newServerOf(t testing.TB, clients []client.Client, change ...func(*issuer.Config, *issuer.Paths)) *server {
	t.Helper()
	now := func() time.Time { return start }
	s := &server{t: t, ring: keys.NewRing(store.NewMemory(), now), events: &events{}}
	if _, err := s.ring.Maintain(t.Context(), keys.Config{Algorithm: token.ES256, LongestLifetime: time.Hour}); err != nil {
		t.Fatal(err)
	}
	registry, err := client.NewRegistry(clients)
	if err != nil {
		t.Fatal(err)
	}
	ledger, revoked := client.NewLedger(store.NewMemory()), revocation.NewList(store.NewMemory(), now)
	if err := errors.Join(ledger.Load(t.Context()), revoked.Load(t.Context())); err != nil {
		t.Fatal(err)
	}
	marks := store.NewMemoryMarks(0, now)
	proofs, err := proof.NewChecker(proof.Config{Marks: marks, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	config := issuer.Config{
		URL: issuerURL, TokenLifetime: time.Hour, ScopeAliases: []string{"urn:opc:idm:__myscopes__"},
		Resources: []issuer.Resource{
			{Identifier: ordersAPI, Scopes: token.Scopes{"orders:read", "orders:write"}},
			{Identifier: stockAPI, Scopes: token.Scopes{"stock:read"}, TokenLifetime: 10 * time.Minute},
		},
		PublishAhead: time.Hour, Clients: registry,
		Authenticator: client.NewAuthenticator(client.AuthenticatorConfig{
			Registry: registry, Memory: client.NewMemory(now), Queue: client.NewQueue(), Marks: marks, Now: now,
		}),
		Proofs:   proofs,
		Standing: client.NewStanding(registry, ledger, revoked), Epochs: ledger, Revocations: revoked, Keys: s.ring,
		Failures: client.NewFailures(now, nil), FailureLimit: client.FailureLimit{Count: 1000, Per: time.Minute}, Observer: s.events, Now: now,
	}
	var paths issuer.Paths
	for _, apply := range change {
		apply(&config, &paths)
	}
	made, err := issuer.New(config)
	if err != nil {
		t.Fatal(err)
	}
	s.made = made
	if s.handlers, err = made.Mount(paths); err != nil {
		t.Fatal(err)
	}
	return s
}

// do answers a request at one of the server's paths.
func (s *server) do(r *http.Request) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.from(issuer.Peer{Address: "192.0.2.7"}, r)
}

// from answers a request that comes over a connection.
func (s *server) from(peer issuer.Peer, r *http.Request) *httptest.ResponseRecorder {
	s.t.Helper()
	handler, ok := s.handlers[r.URL.Path]
	if !ok {
		s.t.Fatalf("no handler at %s", r.URL.Path)
	}
	w := httptest.NewRecorder()
	handler(w, r, peer)
	return w
}

// form is a token request with a form body.
func form(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, issuer.DefaultTokenPath, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// basic is a token request of a client that uses Basic, already form-encoded.
func basic(id, password, body string) *http.Request {
	r := form(body)
	r.SetBasicAuth(id, password)
	return r
}

func batch(body string) *http.Request {
	return basic("batch", "a+secret+of+the+batch+client", "grant_type=client_credentials&"+body)
}

type answer struct {
	AccessToken  string          `json:"access_token"`
	TokenType    string          `json:"token_type"`
	ExpiresIn    json.RawMessage `json:"expires_in"`
	Scope        *string         `json:"scope"`
	RefreshToken *string         `json:"refresh_token"`
	Error        string          `json:"error"`
	Description  string          `json:"error_description"`
}

// read decodes an answer and checks what holds for every one of them.
func read(t testing.TB, w *httptest.ResponseRecorder) answer {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	var decoded answer
	if err := json.Unmarshal(w.Body.Bytes(), &decoded); err != nil {
		t.Fatalf("%v in %q", err, w.Body)
	}
	for _, c := range decoded.Description {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			t.Errorf("error_description with %q", c)
		}
	}
	return decoded
}

// claims are those of a token that was issued.
func (s *server) claims(raw string) *token.Claims {
	s.t.Helper()
	claims, err := token.Parse(raw, s.ring)
	if err != nil {
		s.t.Fatal(err)
	}
	return claims
}
