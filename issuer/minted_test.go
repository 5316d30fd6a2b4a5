package issuer_test

import (
	"crypto/x509"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Whoever is given tokens as they are made may take the claims for those that a
// gate reads from the text: there must be no difference between them.
func TestMintedIsWhatIsRead(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]*http.Request{
		"usual":                        batch(""),
		"one scope":                    batch("scope=orders:read"),
		"two resources":                batch("resource=" + ordersAPI + "&resource=" + stockAPI),
		"nothing of what can be left":  basic("poor", "a+secret+of+the+batch+client", "grant_type=client_credentials"),
		"subject, roles and own claim": basic("a%3Ab", "p%25q%2Br+s+and+some+more", "grant_type=client_credentials"),
		"an alias":                     batch("scope=urn:opc:idm:__myscopes__+stock:read&resource=" + ordersAPI + "&resource=" + stockAPI),
		"texts that are escaped":       basic("texts", "a+secret+of+the+batch+client", "grant_type=client_credentials"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			type minted struct {
				raw, keyID string
				claims     *token.Claims
			}
			var given []minted
			poor := client.Client{
				ID: "poor", Secrets: []client.Secret{plain(t, "", secret, time.Time{})}, Scopes: token.Scopes{}, Roles: []string{},
				Claims: map[string]any{}, Resources: []string{ordersAPI},
			}
			const text = "<b>&amp; \u2028 \U0001F600 ü \ufffd \\ \" /"
			texts := client.Client{
				ID: "texts", Secrets: poor.Secrets, Subject: text, Roles: []string{text, "<"}, Claims: map[string]any{text: text, " ": " "},
				Resources: []string{ordersAPI},
			}
			s := newServerOf(t, append(testClients(t), poor, texts), func(c *issuer.Config, _ *issuer.Paths) {
				c.Minted = func(raw, keyID string, claims *token.Claims) { given = append(given, minted{raw, keyID, claims}) }
			})
			answered := read(t, s.do(request))
			if len(given) != 1 || given[0].raw != answered.AccessToken || given[0].keyID != s.events.last().KeyID {
				t.Fatalf("given %d tokens for %+v", len(given), answered)
			}
			if read := s.claims(answered.AccessToken); !reflect.DeepEqual(given[0].claims, read) {
				t.Errorf("made %+v\nread %+v", given[0].claims, read)
			}
		})
	}
}

// The same of tokens that are bound: what was lost of their binding, no gate would ask for.
func TestMintedIsWhatIsReadOfBound(t *testing.T) {
	t.Parallel()
	var given *token.Claims
	p := newProver(t, func(c *issuer.Config, _ *issuer.Paths) {
		c.Minted = func(_, _ string, claims *token.Claims) { given = claims }
	})
	peer := issuer.Peer{Certificate: &x509.Certificate{Raw: []byte("x")}}
	for name, one := range map[string]struct {
		peer    issuer.Peer
		request *http.Request
	}{
		"to a key":            {issuer.Peer{}, withProof(ofClient("dpop"), p.proof(nil))},
		"to a key, by choice": {issuer.Peer{}, withProof(ofClient("batch"), p.proof(nil))},
		"to a certificate":    {peer, ofClient("mtls")},
		"to both":             {peer, withProof(ofClient("mtls"), p.proof(nil))},
	} {
		answered := read(t, p.from(one.peer, one.request))
		if read := p.claims(answered.AccessToken); read.Confirmation == nil || !reflect.DeepEqual(given, read) {
			t.Errorf("%s: made %+v\nread %+v", name, given, read)
		}
	}
}

// A client that gets no token leaves none behind.
func TestNothingIsMintedForARefusal(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(c *issuer.Config, _ *issuer.Paths) {
		c.Minted = func(string, string, *token.Claims) { t.Error("a token was made") }
	})
	for _, request := range []*http.Request{
		basic("batch", "wrong", "grant_type=client_credentials"), batch("scope=admin"), batch("resource=https://other.example"), form("grant_type=client_credentials"),
	} {
		if w := s.do(request); w.Code == http.StatusOK {
			t.Error("a token was issued")
		}
	}
}

// Whoever remembers a token remembers no request: a scope that is a part of its body
// would keep all of that, and make of a bound of some megabytes one of gigabytes.
func TestMintedKeepsNoRequest(t *testing.T) { // not beside others: it looks at the heap
	const tokens, padding = 200, 60 << 10
	var given []*token.Claims
	s := newServer(t, func(c *issuer.Config, _ *issuer.Paths) {
		c.Minted = func(_, _ string, claims *token.Claims) { given = append(given, claims) }
	})
	s.events.off = true
	before := heap()
	for range tokens {
		if w := s.do(batch("scope=orders:read&resource=" + ordersAPI + "&padding=" + strings.Repeat("x", padding))); w.Code != http.StatusOK {
			t.Fatal(w.Body)
		}
	}
	if kept := heap() - before; len(given) != tokens || kept > tokens*padding/10 {
		t.Errorf("%d tokens keep %d bytes", len(given), kept)
	}
	runtime.KeepAlive(given)
}

// heap is what is in use.
func heap() int64 {
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return int64(memory.HeapAlloc) //nolint:gosec // far from the bound
}
