package gate_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/proof"
	"github.com/dd99cb49/caddy-client-credentials/issuer/store"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// target is what the clients of these tests ask for.
var target = gate.Target{Method: "GET", Scheme: "https", Host: "api.example", Path: "/v1/orders"}

// holder is a client that holds a key, and a token that is bound to it.
type holder struct {
	*fixture
	key tokentest.Key
	raw string
}

func newHolder(t testing.TB) holder {
	f := newFixture(t)
	h := holder{fixture: f, key: tokentest.NewKey(t, "ES256")}
	h.raw = f.sign(f.bound(h.key.Thumbprint(t), ""))
	return h
}

// bound are claims with a confirmation.
func (f *fixture) bound(key, certificate string) *token.Claims {
	claims := f.claims("read")
	claims.Confirmation = &token.Confirmation{KeyThumbprint: key, CertificateThumbprint: certificate}
	return claims
}

var proofs atomic.Int64

// proof is one for the target and the token.
func (h holder) proof(change tokentest.Members) string {
	h.t.Helper()
	sum := sha256.Sum256([]byte(h.raw))
	return h.key.Proof(h.t, tokentest.Members{
		"htm": "GET", "htu": "https://api.example/v1/orders", "iat": h.now.Load(), "jti": strconv.FormatInt(proofs.Add(1), 10),
		"ath": base64.RawURLEncoding.EncodeToString(sum[:]),
	}.With(change))
}

// request is one with the token in a scheme and with DPoP fields.
func (h holder) request(scheme string, dpop ...string) *gate.Request {
	r := get("/orders", scheme+" "+h.raw)
	r.DPoP, r.Target = dpop, target
	return r
}

func expectDenied(t *testing.T, g *gate.Gate, r *gate.Request, status int, code string, reason gate.Reason) gate.Verdict {
	t.Helper()
	verdict := g.Check(t.Context(), r)
	if verdict.Allowed || verdict.Status() != status || verdict.Code() != code || verdict.Reason != reason || verdict.Claims != nil {
		t.Fatalf("got %v %d %s %s (%v), expected %d %s %s", verdict.Allowed, verdict.Status(), verdict.Code(), verdict.Reason, verdict.Err, status, code, reason)
	}
	return verdict
}

// A bound token passes with its proof and in no other way (RFC 9449 section 7).
func TestBoundToken(t *testing.T) {
	t.Parallel()
	h := newHolder(t)
	g := h.gate()
	for range 2 { // the second time the token comes from the cache
		if verdict := g.Check(t.Context(), h.request("dPoP", h.proof(nil))); !verdict.Allowed || verdict.Proved != h.key.Thumbprint(t) {
			t.Fatalf("refused: %s (%v)", verdict.Reason, verdict.Err)
		}
	}
	for name, c := range map[string]struct {
		request *gate.Request
		code    string
		reason  gate.Reason
	}{
		"as a bearer token":            {h.request("Bearer"), "invalid_token", gate.Reason(token.CheckBound)},
		"as a bearer token with proof": {h.request("Bearer", h.proof(nil)), "invalid_token", gate.Reason(token.CheckBound)},
		"without proof":                {h.request("DPoP"), "invalid_dpop_proof", gate.Reason(proof.CheckMissing)},
		"two proofs":                   {h.request("DPoP", h.proof(nil), h.proof(nil)), "invalid_dpop_proof", gate.Reason(proof.CheckDuplicate)},
		"no proof at all":              {h.request("DPoP", "x"), "invalid_dpop_proof", gate.Reason(proof.CheckFormat)},
		"for another method":           {h.request("DPoP", h.proof(tokentest.Members{"htm": "POST"})), "invalid_dpop_proof", gate.Reason(proof.CheckMethod)},
		"for another url":              {h.request("DPoP", h.proof(tokentest.Members{"htu": "https://api.example/v1/x"})), "invalid_dpop_proof", gate.Reason(proof.CheckURL)},
		"for another token":            {h.request("DPoP", h.proof(tokentest.Members{"ath": "x"})), "invalid_dpop_proof", gate.Reason(proof.CheckToken)},
		"for a token request":          {h.request("DPoP", h.proof(tokentest.Members{"ath": nil})), "invalid_dpop_proof", gate.Reason(proof.CheckToken)},
		"too old":                      {h.request("DPoP", h.proof(tokentest.Members{"iat": start.Unix() - 61})), "invalid_dpop_proof", gate.Reason(proof.CheckTime)},
		"of another key": {
			h.request("DPoP", holder{fixture: h.fixture, key: tokentest.NewKey(t, "ES256"), raw: h.raw}.proof(nil)),
			"invalid_token", gate.Reason(proof.CheckBinding),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			verdict := expectDenied(t, g, c.request, 401, c.code, c.reason)
			challenge := g.Challenges(&verdict)
			if len(challenge) == 0 || !strings.Contains(challenge[0], `error="`+c.code+`"`) || !strings.Contains(strings.Join(challenge, " "), `DPoP `) {
				t.Fatalf("challenges %q", challenge)
			}
		})
	}
}

// Who sends no proof is told so, also where the request's host could be in none.
func TestMissingProofOfStrangeHost(t *testing.T) {
	t.Parallel()
	h := newHolder(t)
	r := h.request("DPoP")
	r.Target.Host = "a b"
	expectDenied(t, h.gate(), r, 401, "invalid_dpop_proof", gate.Reason(proof.CheckMissing))
	r.DPoP = []string{h.proof(nil)}
	expectDenied(t, h.gate(), r, 401, "invalid_dpop_proof", gate.Reason(proof.CheckURL))
}

// An unbound token is none for DPoP, and needs no proof as a bearer token.
func TestUnboundToken(t *testing.T) {
	t.Parallel()
	h := newHolder(t)
	g := h.gate()
	h.raw = h.sign(h.claims("read"))
	expectDenied(t, g, h.request("DPoP", h.proof(nil)), 401, "invalid_token", gate.Reason(token.CheckUnbound))
	if verdict := g.Check(t.Context(), h.request("Bearer", "ignored")); !verdict.Allowed || verdict.Proved != "" {
		t.Fatalf("refused: %s", verdict.Reason)
	}
}

// Of many requests with one proof, one passes.
func TestProofReplay(t *testing.T) {
	t.Parallel()
	h := newHolder(t)
	g := h.gate()
	raw := h.proof(nil)
	var passed atomic.Int32
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if verdict := g.Check(t.Context(), h.request("DPoP", raw)); verdict.Allowed {
				passed.Add(1)
			} else if verdict.Reason != gate.Reason(proof.CheckReplay) {
				t.Error(verdict.Reason)
			}
		})
	}
	all.Wait()
	if passed.Load() != 1 {
		t.Fatalf("%d passed", passed.Load())
	}
}

// What a proof is for comes from the configuration, where that tells it.
func TestExternalURL(t *testing.T) {
	t.Parallel()
	h := newHolder(t)
	inside := h.request("DPoP")
	inside.Target.Scheme, inside.Target.Host = "http", "10.0.0.7:8080"
	g := h.gate(func(c *gate.Config) { c.ExternalURL = "https://api.example" })
	inside.DPoP = []string{h.proof(nil)}
	if verdict := g.Check(t.Context(), inside); !verdict.Allowed {
		t.Fatalf("refused: %v", verdict.Err)
	}
	inside.DPoP = []string{h.proof(tokentest.Members{"htu": "http://10.0.0.7:8080/v1/orders"})}
	expectDenied(t, g, inside, 401, "invalid_dpop_proof", gate.Reason(proof.CheckURL))
	for _, host := range []string{"", "a b", "me@h", "h\x00"} {
		odd := h.request("DPoP", h.proof(nil))
		odd.Target.Host = host
		expectDenied(t, h.gate(), odd, 401, "invalid_dpop_proof", gate.Reason(proof.CheckURL))
	}
}

// A proof is used up by the first gate that looks at it: the next believes the
// one before, for the same key alone.
func TestProvedBefore(t *testing.T) {
	t.Parallel()
	h := newHolder(t)
	g := h.gate()
	again := h.request("DPoP")
	again.Proved = h.key.Thumbprint(t)
	if verdict := g.Check(t.Context(), again); !verdict.Allowed || verdict.Proved != again.Proved {
		t.Fatalf("refused: %s", verdict.Reason)
	}
	again.Proved = "another"
	expectDenied(t, g, again, 401, "invalid_dpop_proof", gate.Reason(proof.CheckMissing))
	bearer := h.request("Bearer")
	bearer.Proved = h.key.Thumbprint(t)
	expectDenied(t, g, bearer, 401, "invalid_token", gate.Reason(token.CheckBound))
}

// A token that is bound to a certificate passes on a connection with that very
// certificate (RFC 8705 section 3).
func TestCertificateBoundToken(t *testing.T) {
	t.Parallel()
	h := newHolder(t)
	g := h.gate()
	own, other := &x509.Certificate{Raw: []byte("own")}, &x509.Certificate{Raw: []byte("other")}
	h.raw = h.sign(h.bound("", proof.Thumbprint(own)))
	for _, c := range []struct {
		scheme      string
		certificate *x509.Certificate
		reason      gate.Reason // empty: passes
	}{
		{"Bearer", own, ""},
		{"Bearer", other, gate.Reason(token.CheckCertificate)},
		{"Bearer", nil, gate.Reason(token.CheckCertificate)},
		{"DPoP", own, gate.Reason(token.CheckUnbound)},
	} {
		r := h.request(c.scheme, h.proof(nil))
		r.Certificate = c.certificate
		if c.reason != "" {
			expectDenied(t, g, r, 401, "invalid_token", c.reason)
		} else if verdict := g.Check(t.Context(), r); !verdict.Allowed {
			t.Fatalf("refused: %s", verdict.Reason)
		}
	}
}

// A token that is bound to both needs both.
func TestBoundToBoth(t *testing.T) {
	t.Parallel()
	h := newHolder(t)
	g := h.gate()
	own := &x509.Certificate{Raw: []byte("own")}
	h.raw = h.sign(h.bound(h.key.Thumbprint(t), proof.Thumbprint(own)))
	expectDenied(t, g, h.request("DPoP", h.proof(nil)), 401, "invalid_token", gate.Reason(token.CheckCertificate))
	r := h.request("DPoP")
	r.Certificate = own
	expectDenied(t, g, r, 401, "invalid_dpop_proof", gate.Reason(proof.CheckMissing))
	r.DPoP = []string{h.proof(nil)}
	if verdict := g.Check(t.Context(), r); !verdict.Allowed {
		t.Fatalf("refused: %s", verdict.Reason)
	}
}

// Where nonces are asked for, a proof without one gets one (RFC 9449 section 9).
func TestGateAsksForNonce(t *testing.T) {
	t.Parallel()
	h := newHolder(t)
	nonces := proof.NewNonces(h.clock)
	if err := nonces.Make(t.Context(), store.NewMemory()); err != nil {
		t.Fatal(err)
	}
	checker, err := proof.NewChecker(proof.Config{Marks: store.NewMemoryMarks(0, h.clock), Nonces: nonces, Now: h.clock})
	if err != nil {
		t.Fatal(err)
	}
	g := h.gate(func(c *gate.Config) { c.Proofs = checker })
	verdict := expectDenied(t, g, h.request("DPoP", h.proof(nil)), 401, "use_dpop_nonce", gate.Reason(proof.CheckNonce))
	challenge := g.Challenges(&verdict)
	if verdict.Nonce == "" || len(challenge) != 1 || !strings.HasPrefix(challenge[0], "DPoP ") || !strings.Contains(challenge[0], `error="use_dpop_nonce"`) {
		t.Fatalf("got %q, %q", verdict.Nonce, challenge)
	}
	with := tokentest.Members{"nonce": verdict.Nonce}
	if verdict := g.Check(t.Context(), h.request("DPoP", h.proof(with))); !verdict.Allowed || verdict.Nonce != "" {
		t.Fatalf("refused: %v", verdict.Err)
	}
	h.pass(5 * time.Minute)
	h.raw = h.sign(h.bound(h.key.Thumbprint(t), ""))
	if verdict := g.Check(t.Context(), h.request("DPoP", h.proof(with))); !verdict.Allowed || verdict.Nonce == "" {
		t.Fatalf("no newer nonce: %v", verdict.Err)
	}
}

// Where it cannot be told whether a proof was used before, it must not pass,
// and the client is told to come back.
func TestMarksOutOfReach(t *testing.T) {
	t.Parallel()
	h := newHolder(t)
	g := h.gate(func(c *gate.Config) { c.Proofs = outOfReach{} })
	verdict := expectDenied(t, g, h.request("DPoP", h.proof(nil)), 503, "temporarily_unavailable", gate.ReasonReplayMarks)
	if len(g.Challenges(&verdict)) != 0 || verdict.Err == nil || verdict.Description() == "" {
		t.Fatalf("got %+v", verdict)
	}
}

type outOfReach struct{ gate.Proofs }

func (outOfReach) Check(context.Context, []string, *proof.Request) (proof.Proven, error) {
	return proof.Proven{}, errors.New("out of reach")
}

// BenchmarkProof is the verdict on a known token with a new proof each time.
func BenchmarkProof(b *testing.B) {
	h := newHolder(b)
	g := h.gate()
	requests := make([]*gate.Request, b.N)
	for i := range requests {
		requests[i] = h.request("DPoP", h.proof(nil))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, request := range requests {
		if verdict := g.Check(b.Context(), request); !verdict.Allowed && verdict.Reason != gate.ReasonReplayMarks {
			b.Fatal(verdict.Reason)
		}
	}
}
