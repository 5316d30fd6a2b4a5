package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

func generate(t testing.TB, alg token.Algorithm) crypto.Signer {
	t.Helper()
	private, err := Generate(alg)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

// A key that is made can sign and verify with its own algorithm, and no other
// algorithm takes it, but for the two that share RSA keys.
func TestGenerate(t *testing.T) {
	t.Parallel()
	for _, alg := range token.Algorithms() {
		private := generate(t, alg)
		for _, other := range token.Algorithms() {
			shared := strings.HasSuffix(string(alg), "S256") && strings.HasSuffix(string(other), "S256") &&
				alg != token.ES256 && other != token.ES256
			if err := other.CheckKey(private.Public()); (err == nil) != (alg == other || shared) {
				t.Errorf("a key made for %s is used with %s: %v", alg, other, err)
			}
		}
		signer, err := token.NewSigner(token.SigningKey{ID: "k", Algorithm: alg, Private: private})
		if err != nil {
			t.Errorf("%s: %v", alg, err)
		} else if signer.KeyID() != "k" {
			t.Errorf("%s: kid %q", alg, signer.KeyID())
		}
	}
}

func TestGenerateRefusesOtherAlgorithms(t *testing.T) {
	t.Parallel()
	for _, alg := range []token.Algorithm{"", "none", "HS256", "es256", "ES512", "RS512", "Ed25519"} {
		private, err := Generate(alg)
		if private != nil || err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", string(alg))) {
			t.Errorf("Generate(%q): %v; expected an error that names it", alg, err)
		}
	}
}

func TestCheckFitRefuses(t *testing.T) {
	t.Parallel()
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 2046, 1), E: 65537} // 2047 bits
	tests := []struct {
		name   string
		public crypto.PublicKey
		alg    token.Algorithm
	}{
		{"RSA of 2047 bits, RS256", small, token.RS256},
		{"RSA of 2047 bits, PS256", small, token.PS256},
		{"P-224 as ES256", &p224.PublicKey, token.ES256},
		{"a private key in the place of a public one", p224, token.ES256},
		{"a public key by value", p224.PublicKey, token.ES256},
		{"bytes as EdDSA", []byte("0123456789abcdef0123456789abcdef"), token.EdDSA},
		{"nil", nil, token.ES256},
		{"a symmetric algorithm", ed25519.PublicKey(make([]byte, 32)), "HS256"},
		{"no algorithm", ed25519.PublicKey(make([]byte, 32)), ""},
	}
	for _, test := range tests {
		if test.alg.CheckKey(test.public) == nil {
			t.Errorf("%s: expected an error", test.name)
		}
	}
}

// What everyone can fetch holds public members alone, says what the key is for,
// and its kid is the RFC 7638 thumbprint, computed here from the RFC's text.
func TestPublicJWK(t *testing.T) {
	t.Parallel()
	required := map[string][]string{"EC": {"crv", "kty", "x", "y"}, "OKP": {"crv", "kty", "x"}, "RSA": {"e", "kty", "n"}}
	for _, alg := range token.Algorithms() {
		jwk, err := publicJWK(generate(t, alg).Public(), alg)
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := json.Marshal(jwk)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]string
		if err := json.Unmarshal(encoded, &members); err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if members["use"] != "sig" || members["alg"] != string(alg) {
			t.Errorf("%s: %s: expected use and alg", alg, encoded)
		}
		names := required[members["kty"]]
		if kid := thumbprint(members, names); members["kid"] != kid {
			t.Errorf("%s: kid %s, expected the thumbprint %s", alg, members["kid"], kid)
		}
		allowed := append([]string{"use", "alg", "kid"}, names...)
		for _, name := range slices.Collect(maps.Keys(members)) {
			if !slices.Contains(allowed, name) {
				t.Errorf("%s: member %q is published", alg, name)
			}
		}
	}
}

// thumbprint is RFC 7638 section 3: the required members in lexicographic
// order, without white space.
func thumbprint(members map[string]string, names []string) string {
	var input []string
	for _, name := range names {
		input = append(input, fmt.Sprintf("%q:%q", name, members[name]))
	}
	sum := sha256.Sum256([]byte("{" + strings.Join(input, ",") + "}"))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// What a token request pays, by the size of an RSA key (see rsaBits).
func BenchmarkRSASign(b *testing.B) {
	for _, bits := range []int{2048, 3072} {
		b.Run(fmt.Sprint(bits), func(b *testing.B) {
			private, err := rsa.GenerateKey(rand.Reader, bits)
			if err != nil {
				b.Fatal(err)
			}
			digest := sha256.Sum256([]byte("token"))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := private.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
