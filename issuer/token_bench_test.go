package issuer_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
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
