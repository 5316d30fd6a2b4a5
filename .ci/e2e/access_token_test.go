package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const algorithmCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		signing {$ALG:ES256} {
			rotate_every never
		}
		client batch {
			secret {env.BATCH_SECRET}
			scopes orders:read
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer
	oauth2_gate orders:read
	reverse_proxy {$UPSTREAM}
}
`

// Each algorithm signs tokens that another library verifies with the published
// keys, and that the gate takes.
func TestSigningAlgorithms(t *testing.T) {
	t.Parallel()
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.EdDSA, jose.RS256, jose.PS256} {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			c := launch(t, algorithmCaddyfile, "BATCH_SECRET="+batchSecret, "ALG="+string(alg))
			token := c.token(t, "batch", batchSecret)
			header, _ := decode(t, token)
			if header["typ"] != "at+jwt" || header["alg"] != string(alg) || len(header) != 3 {
				t.Errorf("header %v", header)
			}
			c.verify(t, token, alg)
			c.get(t, "/", bearer(token)).wantStatus(t, 200)
		})
	}
}

// keySet reads the published keys.
func (c *instance) keySet(t testing.TB) (set jose.JSONWebKeySet) {
	t.Helper()
	got := c.get(t, "/oauth2/jwks")
	if err := json.Unmarshal([]byte(got.body), &set); err != nil || got.status != 200 {
		t.Fatalf("%s: %v", got, err)
	}
	return set
}

// verify checks a token as a resource server elsewhere would.
func (c *instance) verify(t testing.TB, token string, alg jose.SignatureAlgorithm) {
	t.Helper()
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{alg})
	if err != nil {
		t.Fatal(err)
	}
	set := c.keySet(t)
	keys := set.Key(signed.Signatures[0].Header.KeyID)
	if len(keys) != 1 || !keys[0].Valid() || !keys[0].IsPublic() || keys[0].Use != "sig" || keys[0].Algorithm != string(alg) {
		t.Fatalf("published keys: %v", keys)
	}
	if _, err := signed.Verify(keys[0].Key); err != nil {
		t.Errorf("signature: %v", err)
	}
}

func TestAccessTokenClaims(t *testing.T) {
	t.Parallel()
	c := launchTokenEndpoint(t)
	before := time.Now().Unix()
	token := c.token(t, "batch", batchSecret)
	_, claims := decode(t, token)
	issued, expires := claims["iat"].(float64), claims["exp"].(float64)
	if int64(issued) < before || int64(issued) > time.Now().Unix() || expires-issued != 1200 {
		t.Errorf("iat %v, exp %v", issued, expires)
	}
	first, _ := claims["jti"].(string)
	_, others := decode(t, c.token(t, "batch", batchSecret))
	if len(first) < 22 || others["jti"] == first { // 128 bits in base64
		t.Errorf("jti %q, then %q", first, others["jti"])
	}
	want := object{
		"iss": "http://localhost", "sub": "service-account-7", "aud": "https://orders.example", "client_id": "batch",
		"scope": "orders:read orders:write", "roles": []any{"clerk"}, "tenant": "acme",
	}
	if rest := claims.with(object{"iat": nil, "exp": nil, "jti": nil}); !reflect.DeepEqual(rest, want) {
		t.Errorf("claims %v, expected %v", rest, want)
	}
}

// The key set has public members alone, tells caches how long it is good, and
// answers a conditional request.
func TestKeySet(t *testing.T) {
	t.Parallel()
	c := launchTokenEndpoint(t)
	got := c.get(t, "/oauth2/jwks")
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal([]byte(got.body), &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("%s: %v", got, err)
	}
	for name := range set.Keys[0] {
		if !slices.Contains([]string{"kty", "crv", "x", "y", "use", "alg", "kid"}, name) {
			t.Errorf("member %q", name)
		}
	}
	tag := got.header.Get("ETag")
	if !regexp.MustCompile(`^public, max-age=[1-9][0-9]*$`).MatchString(got.header.Get("Cache-Control")) || tag == "" {
		t.Errorf("headers %v", got.header)
	}
	again := c.get(t, "/oauth2/jwks", "If-None-Match: "+tag)
	if again.status != http.StatusNotModified || again.body != "" {
		t.Errorf("If-None-Match: %s", again)
	}
	if post := c.send(t, "POST", "/oauth2/jwks", ""); post.status != 405 || post.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %s", post)
	}
	if head := c.send(t, "HEAD", "/oauth2/jwks", ""); head.status != 200 || head.header.Get("Content-Length") != fmt.Sprint(len(got.body)) {
		t.Errorf("HEAD: %s", head)
	}
}
