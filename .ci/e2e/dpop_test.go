package e2e

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

const dpopCaddyfile = `{
	admin {$ADMIN}
	oauth2 {
		issuer http://localhost
		dpop {
			nonce NONCE
		}
		client batch {
			secret {env.BATCH_SECRET}
			scopes orders:read
		}
		client bound {
			secret {env.BATCH_SECRET}
			scopes orders:read
			require dpop
		}
	}
}

http://:{$PORT} {
	bind 127.0.0.1
	oauth2_issuer
	handle /outside/* {
		oauth2_gate orders:read {
			external_url https://api.example.com
		}
		reverse_proxy {$UPSTREAM}
	}
	handle_path /stripped/* {
		oauth2_gate {
			require GET /orders orders:read
		}
		reverse_proxy {$UPSTREAM}
	}
	handle /rewritten {
		rewrite * /orders?x=y
		oauth2_gate orders:read
		reverse_proxy {$UPSTREAM}
	}
	route /twice {
		oauth2_gate orders:read
		oauth2_gate {
			require GET /twice orders:read
		}
		reverse_proxy {$UPSTREAM}
	}
	handle {
		oauth2_gate orders:read
		reverse_proxy {$UPSTREAM}
	}
}
`

const dpopEndpoint = "http://localhost/oauth2/token"

func launchDPoP(t *testing.T, nonce string) (*instance, tokentest.Key) {
	t.Helper()
	c := launch(t, replace(dpopCaddyfile, "NONCE", nonce), "BATCH_SECRET="+batchSecret)
	return c, tokentest.NewKey(t, "ES256")
}

// proof is a DPoP field for a request, made now; raw is the token that goes
// along.
func proof(t *testing.T, key tokentest.Key, method, url, raw string, change tokentest.Members) string {
	t.Helper()
	claims := tokentest.Members{"htm": method, "htu": url, "iat": time.Now().Unix(), "jti": fmt.Sprint("p", jtis.Add(1))}
	if raw != "" {
		sum := sha256.Sum256([]byte(raw))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return "DPoP: " + key.Proof(t, claims.With(change))
}

func dpop(token string) string { return "Authorization: DPoP " + token }

// boundToken is a token that is bound to the key.
func (c *instance) boundToken(t *testing.T, key tokentest.Key, id string, change tokentest.Members) string {
	t.Helper()
	got := c.send(t, http.MethodPost, "/oauth2/token", grantForm, formType, basic(id, batchSecret),
		proof(t, key, "POST", dpopEndpoint, "", change))
	got.wantStatus(t, 200)
	members := got.members(t)
	token, _ := members["access_token"].(string)
	_, claims := decode(t, token)
	if bound, _ := claims["cnf"].(map[string]any); members["token_type"] != "DPoP" || bound["jkt"] != key.Thumbprint(t) {
		t.Fatalf("%v %v", members["token_type"], claims["cnf"])
	}
	return token
}

// A bound token opens the API for whoever holds its key, and for nobody else.
func TestDPoP(t *testing.T) {
	t.Parallel()
	c, key := launchDPoP(t, "off")
	token, orders := c.boundToken(t, key, "bound", nil), c.url("/orders")
	got := c.get(t, "/orders?page=2", dpop(token), proof(t, key, "GET", orders, token, nil))
	got.wantStatus(t, 200)
	heard := c.upstream.only(t)
	heard.one(t, "X-Client-Id", "bound")
	heard.none(t, "Authorization")
	heard.none(t, "DPoP")

	thief := tokentest.NewKey(t, "ES256")
	for name, fields := range map[string][]string{
		"no proof":              {dpop(token)},
		"as a bearer token":     {bearer(token)},
		"proof of a thief":      {dpop(token), proof(t, thief, "GET", orders, token, nil)},
		"for another path":      {dpop(token), proof(t, key, "GET", c.url("/other"), token, nil)},
		"for another method":    {dpop(token), proof(t, key, "POST", orders, token, nil)},
		"for another token":     {dpop(token), proof(t, key, "GET", orders, "other", nil)},
		"too old":               {dpop(token), proof(t, key, "GET", orders, token, tokentest.Members{"iat": time.Now().Unix() - 70})},
		"from the future":       {dpop(token), proof(t, key, "GET", orders, token, tokentest.Members{"iat": time.Now().Unix() + 40})},
		"two proofs":            {dpop(token), proof(t, key, "GET", orders, token, nil), proof(t, key, "GET", orders, token, nil)},
		"both schemes":          {dpop(token), bearer(token), proof(t, key, "GET", orders, token, nil)},
		"an unbound token":      {dpop(c.token(t, "batch", batchSecret)), proof(t, key, "GET", orders, token, nil)},
		"another's bound token": {dpop(c.boundToken(t, thief, "bound", nil)), proof(t, key, "GET", orders, token, nil)},
	} {
		got := c.get(t, "/orders", fields...)
		if want := map[bool]int{true: 400, false: 401}[name == "both schemes"]; got.status != want {
			t.Errorf("%s: %s", name, got)
		}
		if challenge := got.header.Get("WWW-Authenticate"); got.status == 401 && !strings.Contains(challenge, `error="invalid_`) {
			t.Errorf("%s: %s", name, challenge)
		}
	}
	if none := c.get(t, "/orders").header.Values("WWW-Authenticate"); len(none) != 2 || !strings.HasPrefix(none[0], "Bearer ") || !strings.HasPrefix(none[1], `DPoP algs="ES256 `) {
		t.Errorf("challenges without a token: %q", none)
	}
	c.upstream.silent(t)
}

// One proof, one request: of many at once, after a reload, at whatever gate.
func TestProofReplay(t *testing.T) {
	t.Parallel()
	c, key := launchDPoP(t, "off")
	token := c.boundToken(t, key, "batch", nil)
	once := proof(t, key, "GET", c.url("/orders"), token, nil)
	var passed atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if got, err := c.try(http.MethodGet, "/orders", "", dpop(token), once); err != nil {
				t.Error(err)
			} else if got.status == 200 {
				passed.Add(1)
			}
		})
	}
	all.Wait()
	if passed.Load() != 1 {
		t.Fatalf("%d passed", passed.Load())
	}
	if got := c.reload(t, replace(dpopCaddyfile, "NONCE", "off"), "--force"); got.code != 0 {
		t.Fatal(got.all())
	}
	c.get(t, "/orders", dpop(token), once).wantError(t, 401, "invalid_dpop_proof")
	request := proof(t, key, "POST", dpopEndpoint, "", nil)
	for _, status := range []int{200, 400} {
		c.send(t, http.MethodPost, "/oauth2/token", grantForm, formType, basic("batch", batchSecret), request).wantStatus(t, status)
	}
	c.send(t, http.MethodPost, "/oauth2/token", grantForm, formType, basic("bound", batchSecret)).wantError(t, 400, "invalid_dpop_proof")
}

// The proof is for the url that the client asked for, whatever Caddy makes of
// it; and two gates on one way are content with one proof.
func TestProofURL(t *testing.T) {
	t.Parallel()
	c, key := launchDPoP(t, "off")
	token := c.boundToken(t, key, "batch", nil)
	for path, url := range map[string]string{
		"/outside/a?b=c":   "https://api.example.com/outside/a",
		"/stripped/orders": c.url("/stripped/orders"),
		"/rewritten":       c.url("/rewritten"),
		"/twice":           c.url("/twice"),
	} {
		if got := c.get(t, path, dpop(token), proof(t, key, "GET", url, token, nil)); got.status != 200 {
			t.Errorf("%s: %s", path, got)
		}
	}
	for path, url := range map[string]string{
		"/outside/a": c.url("/outside/a"), "/stripped/orders": c.url("/orders"), "/rewritten": c.url("/orders"),
	} {
		c.get(t, path, dpop(token), proof(t, key, "GET", url, token, nil)).wantError(t, 401, "invalid_dpop_proof")
	}
	c.get(t, "/orders", dpop(token), proof(t, key, "GET", c.url("/orders"), token, nil), "Host: evil.example").wantStatus(t, 200)
}

// Where nonces are asked for, each end hands one out and is content with it
// afterwards; it survives a restart.
func TestNonces(t *testing.T) {
	t.Parallel()
	c, key := launchDPoP(t, "on")
	got := c.send(t, http.MethodPost, "/oauth2/token", grantForm, formType, basic("batch", batchSecret),
		proof(t, key, "POST", dpopEndpoint, "", nil))
	got.wantError(t, 400, "use_dpop_nonce")
	nonce := got.header.Get("DPoP-Nonce")
	if nonce == "" {
		t.Fatal(got)
	}
	with := tokentest.Members{"nonce": nonce}
	token := c.boundToken(t, key, "batch", with)
	got = c.get(t, "/orders", dpop(token), proof(t, key, "GET", c.url("/orders"), token, nil))
	got.wantError(t, 401, "use_dpop_nonce")
	if challenge := got.header.Get("WWW-Authenticate"); got.header.Get("DPoP-Nonce") == "" || !strings.HasPrefix(challenge, "DPoP ") || !strings.Contains(challenge, `error="use_dpop_nonce"`) {
		t.Fatal(got)
	}
	c.get(t, "/orders", dpop(token), proof(t, key, "GET", c.url("/orders"), token, with)).wantStatus(t, 200)
	c.stop(t)
	c.start(t)
	c.get(t, "/orders", dpop(token), proof(t, key, "GET", c.url("/orders"), token, with)).wantStatus(t, 200)
}
