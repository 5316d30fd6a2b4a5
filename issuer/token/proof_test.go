package token_test

import (
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// The key of a proof is handed on as it stands in the header: what is judged is what
// was signed.
func TestProofKeyAsWritten(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		`{"jwk":{"kty":"EC"},"alg":"ES256","typ":"dpop+jwt"}`:                            `{"kty":"EC"}`,
		`{"alg":"ES256","typ":"dpop+jwt","jwk" :` + "\r\n\t" + `{ "kty" : "E\u0043" } }`: `{ "kty" : "E\u0043" }`,
		`{"alg":"ES256","typ":"dpop+jwt","x":{"jwk":{}},"j\u0077k":{":":"{"}}`:           `{":":"{"}`,
	} {
		proof, err := token.ReadProof(forge(es, header, `{"jti":"1"}`))
		if err != nil || string(proof.JWK) != want {
			t.Errorf("%s: %+v, %v", header, proof, err)
		}
	}
	for _, jwk := range []string{`null`, `"{}"`, `[{}]`, `1`, `{"kty":"EC","kty":"EC"}`, `{"d":null}`, `{"\u0064":1}`} {
		if proof, err := token.ReadProof(forge(es, `{"alg":"ES256","typ":"dpop+jwt","jwk":`+jwk+`}`, `{}`)); proof != nil || err == nil {
			t.Errorf("%s: %+v, %v", jwk, proof, err)
		}
	}
}
