// Package issuertest runs an authorization server inside a test, for tests of
// services that sit behind the gate and of clients that ask for tokens.
package issuertest

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/revocation"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Client is a client that the issuer knows.
type Client struct {
	ID     string
	Secret string // at least 16 bytes
	Scopes []string
}

// Issuer is a running authorization server. It ends with the test.
type Issuer struct {
	URL    string // the issuer identifier, and the one resource there is
	Server *httptest.Server

	registry *client.Registry
	ledger   *client.Ledger
	standing *client.Standing
	revoked  *revocation.List
	ring     *keys.Ring
	marks    store.Marks
	proofs   *proof.Checker
}

// TokenURL is where tokens are issued.
func (i *Issuer) TokenURL() string { return i.URL + issuer.DefaultTokenPath }

// Start runs an issuer over TLS with a certificate of its own: use the client
// of Server, which trusts it. Keys and state are in memory. Tokens are signed
// with ES256 and live for an hour. A problem fails the test.
func Start(t testing.TB, clients ...Client) *Issuer {
	t.Helper()
	made := &Issuer{
		ring: keys.NewRing(store.NewMemory(), time.Now), ledger: client.NewLedger(store.NewMemory()),
		revoked: revocation.NewList(store.NewMemory(), time.Now), marks: store.NewMemoryMarks(0, time.Now),
	}
	var err error
	if made.proofs, err = proof.NewChecker(proof.Config{Marks: made.marks}); err != nil {
		t.Fatal(err)
	}
	if _, err := made.ring.Maintain(t.Context(), keys.Config{Algorithm: token.ES256, LongestLifetime: time.Hour}); err != nil {
		t.Fatalf("making the key: %v", err)
	}
	made.Server = httptest.NewUnstartedServer(nil)
	made.URL = "https://" + made.Server.Listener.Addr().(*net.TCPAddr).String()
	made.register(t, clients)
	made.Server.Config.Handler = made.handler(t)
	made.Server.StartTLS()
	t.Cleanup(made.Server.Close)
	return made
}

// Gate makes a gate that lets tokens of this issuer pass.
func (i *Issuer) Gate(t testing.TB, scopes ...string) *gate.Gate {
	t.Helper()
	made, err := gate.New(gate.Config{
		Issuers: []gate.Issuer{gate.NewOwn(i.URL, i.ring, i.standing)}, Resource: i.URL, Scopes: scopes,
		Proofs: i.proofs, Cache: gate.NewCache(),
	})
	if err != nil {
		t.Fatalf("making the gate: %v", err)
	}
	return made
}

func (i *Issuer) register(t testing.TB, clients []Client) {
	t.Helper()
	known := make([]client.Client, 0, len(clients))
	alive := make(map[string]bool, len(clients))
	for _, c := range clients {
		secret, err := client.NewPlainSecret("", c.Secret, time.Time{})
		if err != nil {
			t.Fatalf("client %q: %v", c.ID, err)
		}
		known = append(known, client.Client{
			ID: c.ID, Secrets: []client.Secret{secret}, Scopes: c.Scopes, Resources: []string{i.URL},
		})
		alive[c.ID] = true
	}
	var err error
	if i.registry, err = client.NewRegistry(known); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(i.ledger.Record(t.Context(), alive), i.revoked.Load(t.Context())); err != nil {
		t.Fatal(err)
	}
	i.standing = client.NewStanding(i.registry, i.ledger, i.revoked)
}

func (i *Issuer) handler(t testing.TB) http.Handler {
	t.Helper()
	server, err := issuer.New(issuer.Config{
		URL: i.URL, TokenLifetime: time.Hour, PublishAhead: time.Hour, Clients: i.registry,
		Authenticator: client.NewAuthenticator(client.AuthenticatorConfig{
			Registry: i.registry, Memory: client.NewMemory(time.Now), Queue: client.NewQueue(), Marks: i.marks, Now: time.Now,
		}),
		Proofs:   i.proofs,
		Standing: i.standing, Epochs: i.ledger, Revocations: i.revoked, Keys: i.ring,
		Failures: client.NewFailures(time.Now, nil), FailureLimit: client.FailureLimit{Count: 10, Per: time.Minute},
	})
	if err != nil {
		t.Fatalf("making the issuer: %v", err)
	}
	handlers, err := server.Mount(issuer.Paths{})
	if err != nil {
		t.Fatalf("mounting the issuer: %v", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handler, ours := handlers[r.URL.Path]; ours {
			handler(w, r, issuer.Peer{Address: r.RemoteAddr})
			return
		}
		http.NotFound(w, r)
	})
}
