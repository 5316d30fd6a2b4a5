package issuer_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// A token should cost one signature and little else: compare with
// BenchmarkSignature, which runs beside it.
func BenchmarkTokenEndpoint(b *testing.B) {
	s := newServer(b)
	b.ReportAllocs()
	for b.Loop() {
		if w := s.do(batch("scope=orders:read")); w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}

// A token should cost the same however many clients there are, also where each
// request is another client's.
func BenchmarkTokenEndpointClients(b *testing.B) {
	for _, count := range []int{10, 1_000, 100_000} {
		clients := make([]client.Client, count)
		texts := make([]string, min(count, 1_000)) // of those that ask
		for i := range clients {
			clients[i] = client.Client{ID: fmt.Sprint("client-", i), Scopes: token.Scopes{"orders:read"}, Resources: []string{ordersAPI}}
			text := client.NewGenerated()
			hash, err := client.HashSecret(text)
			if err != nil {
				b.Fatal(err)
			}
			secret, err := client.NewHashedSecret("1", hash, time.Time{})
			if err != nil {
				b.Fatal(err)
			}
			if clients[i].Secrets = []client.Secret{secret}; i < len(texts) {
				texts[i] = text
			}
		}
		s := newServerOf(b, clients)
		for name, asking := range map[string]int{"one": 1, "many": len(texts)} {
			b.Run(fmt.Sprintf("%d/%s", count, name), func(b *testing.B) {
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					i++
					form := fmt.Sprintf("grant_type=client_credentials&client_id=client-%d&client_secret=%s", i%asking, texts[i%asking])
					r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(form))
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					if w := s.do(r); w.Code != 200 {
						b.Fatal(w.Body)
					}
				}
			})
		}
	}
}

// What the other ways to prove who one is, and a proof, add: each is one
// signature check more (BenchmarkVerification), however many assertions and
// proofs of the last hour are remembered.
func BenchmarkTokenEndpointProofs(b *testing.B) {
	for name, make := range map[string]func(p prover) *http.Request{
		"private_key_jwt": func(p prover) *http.Request { return asserted(p.assertion(nil), "") },
		"secret and DPoP": func(p prover) *http.Request { return withProof(ofClient("batch"), p.proof(nil)) },
	} {
		for _, live := range []int{0, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", name, live), func(b *testing.B) { benchmarkRequests(b, make, live) })
		}
	}
}

func benchmarkRequests(b *testing.B, make func(p prover) *http.Request, live int) {
	var marks *store.MemoryMarks
	p := newProver(b, func(c *issuer.Config, _ *issuer.Paths) {
		marks = store.NewMemoryMarks(10_000_000, c.Now)
		c.Authenticator.Marks = marks
		checker, err := proof.NewChecker(proof.Config{Marks: marks, Now: c.Now})
		if err != nil {
			b.Fatal(err)
		}
		c.Proofs = checker
	})
	for i := range live {
		mark := store.Mark{Kind: store.KindProof, Owner: fmt.Sprint(i % 1000), ID: fmt.Sprint(i), Until: start.Add(time.Hour)}
		if err := marks.Mark(b.Context(), mark); err != nil {
			b.Fatal(err)
		}
	}
	requests := []*http.Request{}
	for range b.N {
		requests = append(requests, make(p))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, request := range requests {
		if w := p.do(request); w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}

// A signature check alone.
func BenchmarkVerification(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	hash := sha256.Sum256([]byte("signed"))
	r, s, err := ecdsa.Sign(rand.Reader, key, hash[:])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !ecdsa.Verify(&key.PublicKey, hash[:], r, s) {
			b.Fatal("a good signature")
		}
	}
}

// The signature alone, as the baseline of the row above.
func BenchmarkSignature(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	hash := sha256.Sum256([]byte("signed"))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ecdsa.Sign(rand.Reader, key, hash[:]); err != nil {
			b.Fatal(err)
		}
	}
}
