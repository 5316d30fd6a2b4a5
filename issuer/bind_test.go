package issuer_test

import (
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

const tokenURL = issuerURL + "/oauth2/token"

// prover is a server whose clients prove who they are in every way, and the key
// of the one that signs.
type prover struct {
	*server
	key tokentest.Key
}

func newProver(t testing.TB, change ...func(*issuer.Config, *issuer.Paths)) prover {
	t.Helper()
	key := tokentest.NewKey(t, "ES256")
	set, err := keys.ParseSet([]byte(tokentest.Set(t, key)))
	if err != nil {
		t.Fatal(err)
	}
	name, err := client.ParseCertificateName("san_dns", "batch.example")
	if err != nil {
		t.Fatal(err)
	}
	with := func(c client.Client) client.Client {
		c.Scopes, c.Resources = token.Scopes{"orders:read"}, []string{ordersAPI}
		return c
	}
	own := func() []client.Secret { return []client.Secret{plain(t, "", secret, time.Time{})} }
	return prover{key: key, server: newServerOf(t, []client.Client{
		with(client.Client{ID: "batch", Secrets: own()}),
		with(client.Client{ID: "signer", Keys: keys.NewHeld(set)}),
		with(client.Client{ID: "named", Certificate: &name}),
		with(client.Client{ID: "dpop", Secrets: own(), Require: client.BoundByDPoP}),
		with(client.Client{ID: "mtls", Secrets: own(), Require: client.BoundByCertificate}),
		with(client.Client{ID: "named off", Certificate: &name, Disabled: true}),
	}, change...)}
}

var jtis atomic.Int64

func (p prover) assertion(change tokentest.Members) string {
	return p.key.Sign(p.t, nil, tokentest.Members{
		"iss": "signer", "sub": "signer", "aud": issuerURL, "exp": start.Unix() + 60, "iat": start.Unix(), "jti": strconv.FormatInt(jtis.Add(1), 10),
	}.With(change))
}

func (p prover) proof(change tokentest.Members) string {
	return p.key.Proof(p.t, tokentest.Members{
		"htm": "POST", "htu": tokenURL, "iat": start.Unix(), "jti": strconv.FormatInt(jtis.Add(1), 10),
	}.With(change))
}

const grant = "grant_type=client_credentials"

func asserted(assertion, more string) *http.Request {
	return form(grant + "&client_assertion_type=" + url.QueryEscape("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") +
		"&client_assertion=" + url.QueryEscape(assertion) + more)
}

func withProof(r *http.Request, fields ...string) *http.Request {
	for _, field := range fields {
		r.Header.Add("DPoP", field)
	}
	return r
}

func ofClient(id string) *http.Request { return basic(id, "a+secret+of+the+batch+client", grant) }

// What comes along decides by which method a client authenticates, and exactly
// one may come (RFC 6749 section 2.3, RFC 7521 section 4.2, RFC 8705 section 2).
func TestMethods(t *testing.T) {
	t.Parallel()
	p := newProver(t)
	cert := &x509.Certificate{Raw: []byte("x"), DNSNames: []string{"batch.example"}}
	none, unverified := issuer.Peer{}, issuer.Peer{Certificate: cert}
	const wrong = "401 invalid_client"
	for _, c := range []struct {
		name    string
		peer    issuer.Peer
		request *http.Request
		want    string
		reason  string
	}{
		{"assertion", none, asserted(p.assertion(nil), ""), "200 ", ""},
		{"assertion with its client_id", none, asserted(p.assertion(nil), "&client_id=signer"), "200 ", ""},
		{"assertion with another client_id", none, asserted(p.assertion(nil), "&client_id=batch"), "400 invalid_request", "client_id"},
		{"assertion and a certificate", unverified, asserted(p.assertion(nil), ""), "200 ", ""},
		{"assertion and Basic", none, func() *http.Request {
			r := asserted(p.assertion(nil), "")
			r.SetBasicAuth("signer", "x")
			return r
		}(), "400 invalid_request", "methods"},
		{"assertion and a secret", none, asserted(p.assertion(nil), "&client_secret=x"), "400 invalid_request", "methods"},
		{"assertion of an unknown type", none, form(grant + "&client_assertion_type=urn:x&client_assertion=" + p.assertion(nil)), wrong, "malformed"},
		{"assertion without a type", none, form(grant + "&client_assertion=" + p.assertion(nil)), wrong, "malformed"},
		{"type without an assertion", none, asserted("", ""), wrong, "malformed"},
		{"assertion for another server", none, asserted(p.assertion(tokentest.Members{"aud": "https://evil.example"}), ""), wrong, "assertion_aud"},
		{"assertion of nobody", none, asserted(p.assertion(tokentest.Members{"iss": "x", "sub": "x"}), ""), wrong, "unknown_client"},
		{"assertion by a client with a secret", none, asserted(p.assertion(tokentest.Members{"iss": "batch", "sub": "batch"}), ""), wrong, "no_keys"},
		{"secret by a client with keys", none, ofClient("signer"), wrong, "no_secret"},
		{"secret by a client with a certificate", issuer.Peer{Certificate: cert, ChainVerified: true}, ofClient("named"), wrong, "no_secret"},
		{"Basic, client_id and a certificate", unverified, basic("batch", "a+secret+of+the+batch+client", grant+"&client_id=batch"), "200 ", ""},
		{"certificate without a client_id", unverified, form(grant), wrong, "missing"},
		{"certificate by a client with a secret", unverified, form(grant + "&client_id=batch"), wrong, "no_certificate_method"},
		{"certificate of nobody", unverified, form(grant + "&client_id=nobody"), wrong, "unknown_client"},
		{"certificate that nobody verified", unverified, form(grant + "&client_id=named"), wrong, "certificate_unverified"},
		{"no certificate", none, form(grant + "&client_id=named"), wrong, "missing"},
		{"certificate of a disabled client", issuer.Peer{Certificate: cert, ChainVerified: true}, form(grant + "&client_id=named+off"), wrong, "disabled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := p.from(c.peer, c.request)
			got := read(t, w)
			if strconv.Itoa(w.Code)+" "+got.Error != c.want {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			event := p.events.last()
			if c.reason == "" && event.Err == nil {
				return
			}
			if event.Err == nil || event.Err.Reason != c.reason {
				t.Fatalf("got %+v", event.Err)
			}
			if w.Code == 401 && (got.Description != "client authentication failed" || w.Header().Get("WWW-Authenticate") == "") {
				t.Fatalf("a refusal that differs: %s", w.Body)
			}
		})
	}
}

// The log names the method and the client, and neither assertion nor proof.
func TestEventOfAssertion(t *testing.T) {
	t.Parallel()
	p := newProver(t)
	assertion, proof := p.assertion(nil), p.proof(nil)
	if w := p.do(withProof(asserted(assertion, ""), proof)); w.Code != 200 {
		t.Fatal(w.Body)
	}
	event := p.events.last()
	if event.Method != client.PrivateKeyJWT || event.ClientID != "signer" || event.Confirmation == nil || event.Confirmation.KeyThumbprint != p.key.Thumbprint(t) {
		t.Fatalf("got %+v", event)
	}
	if w := p.do(asserted(assertion, "")); w.Code != 401 || p.events.last().Err.Reason != "assertion_replayed" {
		t.Fatalf("got %d %+v", w.Code, p.events.last().Err)
	}
	for _, secret := range []string{strings.Split(assertion, ".")[2], strings.Split(proof, ".")[2]} {
		for _, event := range p.events.list {
			if text, _ := json.Marshal(event); strings.Contains(string(text), secret) || event.Err != nil && strings.Contains(event.Err.Error(), secret) {
				t.Fatalf("%s", text)
			}
		}
	}
}

// All endpoints take all methods, and an assertion is good at one of them once.
func TestAssertionAtOtherEndpoints(t *testing.T) {
	t.Parallel()
	p := newProver(t)
	raw := read(t, p.do(asserted(p.assertion(nil), ""))).AccessToken
	for _, path := range []string{issuer.DefaultIntrospectionPath, issuer.DefaultRevocationPath} {
		assertion := p.assertion(nil)
		r := asserted(assertion, "&token="+raw)
		r.URL.Path = path
		if w := p.do(r); w.Code != 200 {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		if w := p.do(asserted(assertion, "")); w.Code != 401 {
			t.Fatalf("an assertion of %s is good again: %s", path, w.Body)
		}
	}
}

// With `assertion_audience endpoint` the url of every token endpoint will do,
// and its twin for client certificates; without, none will.
func TestAssertionAudience(t *testing.T) {
	t.Parallel()
	mount := func(both bool) func(*issuer.Config, *issuer.Paths) {
		return func(c *issuer.Config, paths *issuer.Paths) {
			c.EndpointAudience = both
			paths.Token, paths.MTLSHost = []string{"/oauth2/token", "/other"}, "https://mtls.example:8443"
		}
	}
	strict, lax := newProver(t, mount(false)), newProver(t, mount(true))
	for audience, endpoint := range map[string]bool{
		issuerURL: false, tokenURL: true, issuerURL + "/other": true, "https://mtls.example:8443/other": true,
	} {
		audience := tokentest.Members{"aud": audience}
		if w := lax.do(asserted(lax.assertion(audience), "")); w.Code != 200 {
			t.Errorf("%s: %d", audience, w.Code)
		}
		if w := strict.do(asserted(strict.assertion(audience), "")); (w.Code == 200) == endpoint {
			t.Errorf("%s: %d", audience, w.Code)
		}
	}
	for _, audience := range []string{"https://mtls.example:8443", issuerURL + "/oauth2/introspect", tokenURL + "/"} {
		if w := lax.do(asserted(lax.assertion(tokentest.Members{"aud": audience}), "")); w.Code != 401 {
			t.Errorf("%s: %d", audience, w.Code)
		}
	}
}

// A proof binds whenever it comes; a certificate where it is asked for; and
// where something is asked for, nothing else will do.
func TestBinding(t *testing.T) {
	t.Parallel()
	p := newProver(t)
	cert := issuer.Peer{Certificate: &x509.Certificate{Raw: []byte("x")}}
	jkt, x5t := p.key.Thumbprint(t), proof.Thumbprint(cert.Certificate)
	for _, c := range []struct {
		name      string
		peer      issuer.Peer
		request   *http.Request
		want      string
		tokenType string
		bound     token.Confirmation
	}{
		{"nothing comes, nothing is asked for", issuer.Peer{}, ofClient("batch"), "200 ", "Bearer", token.Confirmation{}},
		{"a proof comes", issuer.Peer{}, withProof(ofClient("batch"), p.proof(nil)), "200 ", "DPoP", token.Confirmation{KeyThumbprint: jkt}},
		{"a certificate comes", cert, ofClient("batch"), "200 ", "Bearer", token.Confirmation{}},
		{"a bad proof comes", issuer.Peer{}, withProof(ofClient("batch"), "x"), "400 invalid_dpop_proof", "", token.Confirmation{}},
		{"two proofs come", issuer.Peer{}, withProof(ofClient("batch"), p.proof(nil), p.proof(nil)), "400 invalid_dpop_proof", "", token.Confirmation{}},
		{"an empty proof comes", issuer.Peer{}, withProof(ofClient("batch"), ""), "400 invalid_dpop_proof", "", token.Confirmation{}},
		{"a proof for another url", issuer.Peer{}, withProof(ofClient("batch"), p.proof(tokentest.Members{"htu": "https://evil.example/oauth2/token"})), "400 invalid_dpop_proof", "", token.Confirmation{}},
		{"a proof is asked for", issuer.Peer{}, withProof(ofClient("dpop"), p.proof(nil)), "200 ", "DPoP", token.Confirmation{KeyThumbprint: jkt}},
		{"a proof is asked for, none comes", cert, ofClient("dpop"), "400 invalid_dpop_proof", "", token.Confirmation{}},
		{"a certificate is asked for", cert, ofClient("mtls"), "200 ", "Bearer", token.Confirmation{CertificateThumbprint: x5t}},
		{"a certificate is asked for, none comes", issuer.Peer{}, ofClient("mtls"), "400 invalid_request", "", token.Confirmation{}},
		{"a certificate is asked for, a proof comes", issuer.Peer{}, withProof(ofClient("mtls"), p.proof(nil)), "400 invalid_request", "", token.Confirmation{}},
		{"both come", cert, withProof(ofClient("mtls"), p.proof(nil)), "200 ", "DPoP", token.Confirmation{KeyThumbprint: jkt, CertificateThumbprint: x5t}},
		{"wrong secret and a bad proof", issuer.Peer{}, withProof(basic("batch", "wrong", grant), "x"), "401 invalid_client", "", token.Confirmation{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := p.from(c.peer, c.request)
			got := read(t, w)
			if strconv.Itoa(w.Code)+" "+got.Error != c.want || got.TokenType != c.tokenType {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			if w.Code != 200 {
				return
			}
			bound := token.Confirmation{}
			if claims := p.claims(got.AccessToken); claims.Confirmation != nil {
				bound = *claims.Confirmation
			}
			if bound != c.bound {
				t.Fatalf("bound to %+v", bound)
			}
		})
	}
}

// A proof is for the endpoint as it is configured, at any of its places.
func TestProofURLs(t *testing.T) {
	t.Parallel()
	p := newProver(t, func(_ *issuer.Config, paths *issuer.Paths) {
		paths.Token, paths.MTLSHost = []string{"/oauth2/token", "/other"}, "https://mtls.example:8443/"
	})
	for htu, code := range map[string]int{
		tokenURL: 200, "https://mtls.example:8443/oauth2/token": 200, issuerURL + "/other": 400, "http://example.com/oauth2/token": 400,
	} {
		r := withProof(ofClient("batch"), p.proof(tokentest.Members{"htu": htu}))
		r.Host = "evil.example"
		if w := p.do(r); w.Code != code {
			t.Errorf("%s: %d %s", htu, w.Code, w.Body)
		}
	}
}

// One proof, one token (RFC 9449 section 11.1).
func TestProofIsUsedOnce(t *testing.T) {
	t.Parallel()
	p := newProver(t)
	raw := p.proof(nil)
	if w := p.do(withProof(basic("batch", "a+secret+of+the+batch+client", grant+"&scope=root"), raw)); w.Code != 400 {
		t.Fatal(w.Body)
	}
	if w := p.do(withProof(ofClient("batch"), raw)); w.Code != 200 {
		t.Fatalf("a request that was refused for its scope has used the proof up: %s", w.Body)
	}
	if w := p.do(withProof(ofClient("batch"), raw)); w.Code != 400 || p.events.last().Err.Reason != "dpop_replayed" {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
}

// Where nonces are asked for, the client is given one and comes back with it
// (RFC 9449 section 8).
func TestTokenEndpointAsksForNonce(t *testing.T) {
	t.Parallel()
	p := newProver(t, func(c *issuer.Config, _ *issuer.Paths) {
		nonces := proof.NewNonces(c.Now)
		if err := nonces.Make(t.Context(), store.NewMemory()); err != nil {
			t.Fatal(err)
		}
		checker, err := proof.NewChecker(proof.Config{Marks: store.NewMemoryMarks(0, c.Now), Nonces: nonces, Now: c.Now})
		if err != nil {
			t.Fatal(err)
		}
		c.Proofs = checker
	})
	w := p.do(withProof(ofClient("batch"), p.proof(nil)))
	nonce := w.Header().Get("DPoP-Nonce")
	if w.Code != 400 || read(t, w).Error != "use_dpop_nonce" || nonce == "" {
		t.Fatalf("got %d %s, nonce %q", w.Code, w.Body, nonce)
	}
	if w := p.do(withProof(ofClient("batch"), p.proof(tokentest.Members{"nonce": nonce}))); w.Code != 200 || w.Header().Get("DPoP-Nonce") != "" {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if w := p.do(ofClient("batch")); w.Code != 200 {
		t.Fatalf("who needs no proof needs no nonce: %s", w.Body)
	}
	// An assertion is good once: who is sent for a nonce can come back with it.
	assertion := p.assertion(nil)
	if w := p.do(withProof(asserted(assertion, ""), p.proof(nil))); read(t, w).Error != "use_dpop_nonce" || w.Header().Get("DPoP-Nonce") != nonce {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if w := p.do(withProof(asserted(assertion, ""), p.proof(tokentest.Members{"nonce": nonce}))); w.Code != 200 {
		t.Fatalf("the same assertion with the nonce: %d %s", w.Code, w.Body)
	}
}

// Introspection tells what a token is bound to (RFC 8705 section 3.2, RFC 9449
// section 6.2).
func TestIntrospectionOfBoundToken(t *testing.T) {
	t.Parallel()
	p := newProver(t)
	raw := read(t, p.do(withProof(ofClient("dpop"), p.proof(nil)))).AccessToken
	r := basic("dpop", "a+secret+of+the+batch+client", "token="+raw)
	r.URL.Path = issuer.DefaultIntrospectionPath
	w := p.do(r)
	if want := `"token_type":"DPoP","cnf":{"jkt":"` + p.key.Thumbprint(t) + `"}`; !strings.Contains(w.Body.String(), want) {
		t.Fatalf("got %s", w.Body)
	}
}

// The metadata says what is configured, and no more (RFC 8414, 8705, 9449).
func TestMetadataOfProofs(t *testing.T) {
	t.Parallel()
	p := newProver(t, func(_ *issuer.Config, paths *issuer.Paths) { paths.MTLSHost = "https://mtls.example" })
	var document map[string]any
	w := p.do(httptest.NewRequest(http.MethodGet, "/.well-known/oauth-authorization-server", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	text := func(member string) string {
		encoded, err := json.Marshal(document[member])
		if err != nil {
			t.Fatal(err)
		}
		return string(encoded)
	}
	const methods = `["client_secret_basic","client_secret_post","private_key_jwt","tls_client_auth"]`
	const algs = `["ES256","ES384","EdDSA","Ed25519","RS256","PS256"]`
	for member, want := range map[string]string{
		"token_endpoint_auth_methods_supported":                    methods,
		"introspection_endpoint_auth_methods_supported":            methods,
		"revocation_endpoint_auth_methods_supported":               methods,
		"token_endpoint_auth_signing_alg_values_supported":         algs,
		"introspection_endpoint_auth_signing_alg_values_supported": algs,
		"revocation_endpoint_auth_signing_alg_values_supported":    algs,
		"dpop_signing_alg_values_supported":                        algs,
		"tls_client_certificate_bound_access_tokens":               "true",
		"mtls_endpoint_aliases": `{"introspection_endpoint":"https://mtls.example/oauth2/introspect",` +
			`"revocation_endpoint":"https://mtls.example/oauth2/revoke","token_endpoint":"https://mtls.example/oauth2/token"}`,
	} {
		if text(member) != want {
			t.Errorf("%s: got %s", member, text(member))
		}
	}
}
