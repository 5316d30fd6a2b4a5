package issuer_test

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// bridgeServer is a server whose clients batch, a:b and off may use a bridge.
func bridgeServer(t testing.TB, change ...func(*issuer.Config, *issuer.Paths)) *server {
	t.Helper()
	clients := testClients(t)
	for i := range clients {
		clients[i].AllowBridge = clients[i].ID != "bare"
		if clients[i].ID == "off" {
			clients[i].Secrets = []client.Secret{plain(t, "", "the secret of who is disabled", time.Time{})}
		}
	}
	clients = append(clients, client.Client{
		ID: "tokens-only", Secrets: []client.Secret{plain(t, "", "the secret of who takes tokens", time.Time{})}, Resources: []string{ordersAPI},
	})
	return newServerOf(t, clients, change...)
}

func directBasic(id, password string) *issuer.Direct {
	field := "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+password))
	return &issuer.Direct{Method: client.BridgeBasic, Authorization: field, Address: "192.0.2.7", Resource: ordersAPI}
}

func directKey(key string) *issuer.Direct {
	return &issuer.Direct{Method: client.BridgeAPIKey, Key: key, Address: "192.0.2.7", Resource: ordersAPI}
}

// What a bridge says of a client is what its token for the resource would say.
func TestDirect(t *testing.T) {
	t.Parallel()
	s := bridgeServer(t)
	expected := &token.Claims{
		Issuer: issuerURL, Subject: "urn:example:ab", Audience: []string{ordersAPI}, ClientID: "a:b",
		Scope: token.Scopes{"orders:read"}, Roles: []string{"clerk"}, Extra: map[string]any{"tenant": "acme"},
	}
	got, _, refusal := s.made.Direct(t.Context(), directKey("p%q+r s and some more"))
	if refusal != nil || !reflect.DeepEqual(got, expected) {
		t.Errorf("%+v, %v", got, refusal)
	}
	event := s.events.last()
	if event.Endpoint != issuer.BridgeEndpoint || event.ClientID != "a:b" || event.SecretID != "old" ||
		event.Method != client.BridgeAPIKey || event.Address != "192.0.2.7" || event.Err != nil {
		t.Errorf("event %+v", event)
	}
	batch, _, refusal := s.made.Direct(t.Context(), directBasic("batch", secret))
	if refusal != nil || batch.Scope.String() != "orders:read orders:write" {
		t.Errorf("scopes of another resource: %+v, %v", batch, refusal)
	}
}

func TestDirectRefusals(t *testing.T) {
	t.Parallel()
	s := bridgeServer(t)
	elsewhere := directKey("p%q+r s and some more")
	elsewhere.Resource = stockAPI
	unreadable := &issuer.Direct{Method: client.BridgeBasic, Authorization: "Basic %%%", Address: "192.0.2.7", Resource: ordersAPI}
	for name, test := range map[string]struct {
		offer  *issuer.Direct
		status int
		reason string
		named  string // for the log
	}{
		"wrong secret":          {directBasic("batch", "wrong"), 401, "wrong_secret", "batch"},
		"no secret":             {directBasic("batch", ""), 401, "wrong_secret", "batch"},
		"unknown client":        {directBasic("nobody", secret), 401, "unknown_client", "nobody"},
		"no client":             {directBasic("", secret), 401, "unknown_client", ""},
		"no bridge":             {directBasic("tokens-only", "the secret of who takes tokens"), 401, "no_bridge", "tokens-only"},
		"id and secret swapped": {directBasic(secret, "batch"), 401, "unknown_client", client.WithheldID},
		"disabled":              {directBasic("off", "the secret of who is disabled"), 401, "disabled", "off"},
		"form-encoded":          {directBasic("batch", "a+secret+of+the+batch+client"), 401, "wrong_secret", "batch"},
		"unreadable":            {unreadable, 401, "malformed", ""},
		"wrong key":             {directKey("wrong"), 401, "unknown_key", ""},
		"no key":                {directKey(""), 401, "unknown_key", ""},
		"key, no bridge":        {directKey("the secret of who takes tokens"), 401, "unknown_key", ""},
		"key, disabled":         {directKey("the secret of who is disabled"), 401, "disabled", ""},
		"key, expired":          {directKey("expired since yesterday"), 401, "expired_secret", ""},
		"another resource":      {elsewhere, 403, "resource", "a:b"},
		"another method":        {&issuer.Direct{Method: client.SecretPost, Key: "wrong", Resource: ordersAPI}, 401, "unknown_key", ""},
	} {
		claims, named, refusal := s.made.Direct(t.Context(), test.offer)
		if refusal == nil || refusal.Status != test.status || refusal.Reason != test.reason || (claims != nil) != (test.status == 403) {
			t.Errorf("%s: %+v %+v", name, claims, refusal)
		}
		if event := s.events.last(); event.Err != refusal || event.Endpoint != issuer.BridgeEndpoint || event.Method != test.offer.Method {
			t.Errorf("%s: event %+v", name, event)
		}
		if named != test.named || s.events.last().ClientID != named {
			t.Errorf("%s: named %q", name, named)
		}
		if text := fmt.Sprint(refusal, named); strings.Contains(text, secret) || strings.Contains(text, "the secret") {
			t.Errorf("%s shows a secret: %s", name, text)
		}
	}
}

// Guessing at a bridge ends as guessing at the token endpoint does, and counts
// together with it.
func TestDirectTooManyFailures(t *testing.T) {
	t.Parallel()
	s := bridgeServer(t, func(c *issuer.Config, _ *issuer.Paths) {
		c.FailureLimit = client.FailureLimit{Count: 2, Per: time.Minute}
	})
	status := func(offer *issuer.Direct) int {
		if _, _, refusal := s.made.Direct(t.Context(), offer); refusal != nil {
			return refusal.Status
		}
		return 200
	}
	for _, id := range []string{"batch", "nobody"} {
		s.do(basic(id, "wrong", "grant_type=client_credentials"))
		if got := status(directBasic(id, "wrong")); got != 401 {
			t.Fatalf("%s: %d", id, got)
		}
		_, _, refusal := s.made.Direct(t.Context(), directBasic(id, secret))
		if refusal == nil || refusal.Status != 429 || refusal.RetryAfter != 30*time.Second {
			t.Errorf("%s: %+v", id, refusal)
		}
		if w := s.do(basic(id, "a+secret+of+the+batch+client", "grant_type=client_credentials")); w.Code != 429 {
			t.Errorf("%s: the token endpoint answers %d", id, w.Code)
		}
	}
	// Keys name no client: the address is what counts, and what is right passes.
	for range 3 {
		status(directBasic(strings.Repeat("x", 200), "wrong")) // no client_id at all
	}
	for range 200 {
		if got := status(directKey("wrong")); got == 429 {
			break
		}
	}
	if wrong, right := status(directKey("wrong")), status(directKey(secret)); wrong != 429 || right != 200 {
		t.Errorf("%d with a wrong key, %d with a right one", wrong, right)
	}
}

// Who comes at the same moment is told apart.
func TestDirectInParallel(t *testing.T) {
	t.Parallel()
	s := bridgeServer(t)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 50 {
				offer, expected := directKey(secret), "batch"
				if i%2 == 0 {
					offer, expected = directBasic("a:b", "p"), ""
				}
				claims, _, refusal := s.made.Direct(t.Context(), offer)
				if (refusal == nil) != (expected != "") || refusal == nil && claims.ClientID != expected {
					t.Errorf("%+v %v", claims, refusal)
				}
			}
		})
	}
	group.Wait()
}

// What a bridge costs beside the gate's own work.
func BenchmarkDirect(b *testing.B) {
	s := bridgeServer(b)
	s.events.off = true
	for name, offer := range map[string]*issuer.Direct{"basic": directBasic("batch", secret), "api_key": directKey(secret)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, refusal := s.made.Direct(b.Context(), offer); refusal != nil {
					b.Fatal(refusal)
				}
			}
		})
	}
}
