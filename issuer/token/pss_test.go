package token_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// RFC 7518 section 3.5: the salt is as long as the hash, 32 bytes.
func TestSaltOfAnotherLength(t *testing.T) {
	t.Parallel()
	signed := encoded(goodHeader(token.PS256).json()) + "." + encoded(goodClaims.json())
	digest := sha256.Sum256([]byte(signed))
	private := pairs()[token.PS256].(*rsa.PrivateKey)
	for _, length := range []int{1, 20, 31, 33, 64, 222} {
		options := &rsa.PSSOptions{SaltLength: length}
		signature, err := rsa.SignPSS(rand.Reader, private, crypto.SHA256, digest[:], options)
		if err != nil {
			t.Fatal(err)
		}
		expectRefusal(t, signed+"."+base64.RawURLEncoding.EncodeToString(signature), known(), token.CheckSignature)
	}
}
