package keys

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Numbers of the form of CVE-2017-15361 are known, and honest ones are not.
func TestROCA(t *testing.T) {
	t.Parallel()
	m := big.NewInt(1)
	for _, prime := range rocaPrimes {
		m.Mul(m, new(big.Int).SetUint64(prime))
	}
	if len(rocaPrimes) != 126 { // as the paper says for 2048 bits
		t.Errorf("%d primes", len(rocaPrimes))
	}
	for exponent := int64(1); exponent < 20; exponent++ {
		n := new(big.Int).Exp(big.NewInt(65537), big.NewInt(exponent), m)
		n.Add(n, new(big.Int).Mul(m, big.NewInt(exponent*31)))
		if !rocaWeak(n) {
			t.Errorf("65537^%d modulo M is not found", exponent)
		}
		if rocaWeak(n.Add(n, big.NewInt(2))) {
			t.Errorf("65537^%d+2 modulo M is found", exponent)
		}
	}
	if rocaWeak(owners()[token.RS256].Public().(*rsa.PublicKey).N) {
		t.Error("an honest key is found")
	}
}

// All honest keys are on the curve, and about half of what is random.
func TestOnEd25519(t *testing.T) {
	t.Parallel()
	on := 0
	for range 300 {
		public, _, err := ed25519.GenerateKey(rand.Reader)
		if err != nil || !onEd25519(public) {
			t.Fatalf("%x is not on the curve (%v)", public, err)
		}
		random := make([]byte, ed25519.PublicKeySize)
		_, _ = rand.Read(random)
		if onEd25519(random) {
			on++
		}
	}
	if on < 75 || on > 225 {
		t.Errorf("%d of 300 random texts are on the curve", on)
	}
	// Calculated by other means: these y have no x.
	for _, y := range []byte{2, 7, 8, 11, 12, 13, 17} {
		encoded := make([]byte, ed25519.PublicKeySize)
		encoded[0] = y
		if onEd25519(encoded) {
			t.Errorf("y = %d is on the curve", y)
		}
		if encoded[31] = 0x80; onEd25519(encoded) {
			t.Errorf("y = %d with a sign is on the curve", y)
		}
	}
}
