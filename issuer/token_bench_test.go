package issuer_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"
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
