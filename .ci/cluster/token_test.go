package cluster

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// form makes a body of names and values, in turn.
func form(pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values.Encode()
}

const formType = "Content-Type: application/x-www-form-urlencoded"

// basic makes an Authorization field; id and secret need no form-encoding.
func basic(id, secret string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

var grant = form("grant_type", "client_credentials")

// askToken asks for a token with a secret; fields are further ones.
func askToken(address, id, secret string, fields ...string) (answer, error) {
	return send(address, http.MethodPost, "/oauth2/token", grant, append(fields, formType, basic(id, secret))...)
}

// token gets a token that must be issued.
func (n *node) token(t testing.TB, id string, fields ...string) string {
	t.Helper()
	got, err := askToken(n.address(), id, secret, fields...)
	if err != nil {
		t.Fatal(err)
	}
	got.want(t, 200)
	return got.member("access_token")
}

// revoke has a token of the client batch revoked.
func revoke(address, token string) (answer, error) {
	return send(address, http.MethodPost, "/oauth2/revoke", form("token", token), formType, basic("batch", secret))
}

var numbers atomic.Int64

// assertion is one of the client signer, made now.
func (c *cluster) assertion(t testing.TB) string {
	t.Helper()
	now := time.Now().Unix()
	return c.key.Sign(t, tokentest.Members{"kid": c.key.Thumbprint(t)}, tokentest.Members{
		"iss": "signer", "sub": "signer", "aud": issuerURL, "iat": now, "exp": now + 60, "jti": fmt.Sprint("a", numbers.Add(1)),
	})
}

// assert asks for a token with an assertion.
func assert(address, assertion string, fields ...string) (answer, error) {
	return send(address, http.MethodPost, "/oauth2/token", assertionForm(assertion), append(fields, formType)...)
}

func assertionForm(assertion string) string {
	return form(
		"grant_type", "client_credentials",
		"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
		"client_assertion", assertion)
}

// proofOf is a DPoP field for a request, made now; token goes along with it.
func proofOf(t testing.TB, key tokentest.Key, method, path, token string) string {
	t.Helper()
	claims := tokentest.Members{
		"htm": method, "htu": issuerURL + path, "iat": time.Now().Unix(), "jti": fmt.Sprint("p", numbers.Add(1)),
	}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return "DPoP: " + key.Proof(t, claims)
}

// kidOf is the kid of a token that is not checked.
func kidOf(t testing.TB, token string) string {
	t.Helper()
	var header struct {
		KID string `json:"kid"`
	}
	first, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(first)
	if err == nil {
		err = json.Unmarshal(text, &header)
	}
	if err != nil {
		t.Fatal(err)
	}
	return header.KID
}

// keyInfo is what the admin endpoint tells of a key.
type keyInfo struct {
	KID       string    `json:"kid"`
	State     string    `json:"state"`
	SignsFrom time.Time `json:"signs_from"`
}

func (n *node) keys(t testing.TB) []keyInfo {
	t.Helper()
	var list struct {
		Keys []keyInfo `json:"keys"`
	}
	n.ask(t, http.MethodGet, "/oauth2/keys", "", &list)
	return list.Keys
}

// jwks is the published key set.
func (n *node) jwks(t testing.TB) string {
	t.Helper()
	got := n.must(t, http.MethodGet, "/oauth2/jwks", "")
	got.want(t, 200)
	return got.body
}
