package keys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// checkMaterial refuses keys that can be read and still prove nothing.
func checkMaterial(public crypto.PublicKey) error {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return checkRSA(key)
	case ed25519.PublicKey:
		if !onEd25519(key) {
			return errors.New("x: expected a point on the curve Ed25519")
		}
	}
	return nil
}

// checkRSA refuses what crypto/rsa would refuse at each signature, and keys
// whose private half everyone can calculate.
func checkRSA(key *rsa.PublicKey) error {
	switch {
	case key.N.BitLen() > token.MaxRSABits:
		return fmt.Errorf("an RSA key of more than %d bits", token.MaxRSABits)
	// With an exponent of 1 every text is its own signature; an even one has no
	// private half.
	case key.E < 3 || key.E > math.MaxInt32 || key.E%2 == 0:
		return fmt.Errorf("e: expected an odd number from 3 to %d", math.MaxInt32)
	case key.N.Bit(0) == 0:
		return errors.New("n: expected an odd number")
	case key.N.BitLen() >= token.MinRSABits && rocaWeak(key.N):
		return errors.New("an RSA key whose private half can be calculated (CVE-2017-15361)")
	}
	return nil
}

// rocaPrimes divide the number M of the paper for keys of 2048 bits and more.
var rocaPrimes = primesUpTo(701)

// rocaWeak tells keys of the chips that CVE-2017-15361 is about ("The Return of
// Coppersmith's Attack", Nemec et al. 2017, section 2): both their factors are
// powers of 65537 modulo M, so n is one modulo each prime that divides M. That
// another key is takes a chance of less than one in 2^100.
func rocaWeak(n *big.Int) bool {
	var divisor, rest big.Int
	for _, prime := range rocaPrimes {
		rest.Mod(n, divisor.SetUint64(prime))
		if !isPowerOf65537(rest.Uint64(), prime) {
			return false
		}
	}
	return true
}

func isPowerOf65537(value, prime uint64) bool {
	for power := uint64(1); ; {
		if power == value {
			return true
		}
		if power = power * 65537 % prime; power == 1 {
			return false
		}
	}
}

func primesUpTo(limit uint64) []uint64 {
	var primes []uint64
	for n := uint64(2); n <= limit; n++ {
		if !slices.ContainsFunc(primes, func(prime uint64) bool { return n%prime == 0 }) {
			primes = append(primes, n)
		}
	}
	return primes
}

// The field and the curve of Ed25519 (RFC 8032 section 5.1).
var (
	edP = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	edD = func() *big.Int {
		inverse := new(big.Int).ModInverse(big.NewInt(121666), edP)
		return inverse.Mod(inverse.Mul(inverse, big.NewInt(-121665)), edP)
	}()
)

// onEd25519 tells whether RFC 8032 section 5.1.3 decodes the key, which
// crypto/ed25519 finds out only at a signature: y is below p, and x² =
// (y²-1)/(dy²+1) has a root. Points of low order are refused before.
func onEd25519(key ed25519.PublicKey) bool {
	encoded := slices.Clone(key)
	slices.Reverse(encoded)
	encoded[0] &= 0x7F // the sign of x
	y := new(big.Int).SetBytes(encoded)
	if y.Cmp(edP) >= 0 {
		return false
	}
	square := new(big.Int).Mul(y, y)
	above := new(big.Int).Sub(square, big.NewInt(1))
	below := square.Add(square.Mul(square, edD), big.NewInt(1))
	// A quotient is a square where the product is one.
	product := above.Mul(above, below)
	return big.Jacobi(product.Mod(product, edP), edP) >= 0
}
