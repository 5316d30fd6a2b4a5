package gate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

// attempt is a request with a token that is to be made.
type attempt struct {
	header, claims tokentest.Members
	tampered       bool
	path           string
	scheme         string
}

// defects are what can be wrong with a request, in the order in which a gate
// that takes tokens of our own looks at them, and the step that fails.
var defects = []struct {
	step  string
	spoil func(*attempt)
}{
	{"path", func(a *attempt) { a.path = "/a//b" }},
	{"token", func(a *attempt) { a.scheme = "Basic" }},
	{"typ", func(a *attempt) { a.header["typ"] = "JWT" }},
	{"key", func(a *attempt) { a.header["kid"] = "unknown" }},
	{"alg", func(a *attempt) { a.header["alg"] = "ES384" }},
	{"signature", func(a *attempt) { a.tampered = true }},
	{"iss", func(a *attempt) { a.claims["iss"] = "https://evil.example" }},
	{"identity", func(a *attempt) { a.claims["client_id"] = " batch" }},
	{"exp", func(a *attempt) { a.claims["exp"] = start.Unix() - 30 }},
	{"nbf_iat", func(a *attempt) { a.claims["nbf"] = start.Unix() + 31 }},
	{"aud", func(a *attempt) { a.claims["aud"] = "https://other.example" }},
	{"client", func(a *attempt) { a.claims["jti"] = "refused" }},
	{"certificate", func(a *attempt) { a.claims["cnf"] = tokentest.Members{"x5t#S256": "abc"} }},
	{"allow_clients", func(a *attempt) { a.claims["client_id"] = "stranger" }},
	{"rule", func(a *attempt) { a.path = "/elsewhere" }},
	{"scope", func(a *attempt) { a.claims["scope"] = "write" }},
}

// refusesOne is the state of clients in which one token is refused.
type refusesOne struct{}

func (refusesOne) Generation() uint64 { return 1 }

func (refusesOne) CheckToken(claims *token.Claims) error {
	if claims.ID == "refused" {
		return &token.Error{Check: token.CheckClient}
	}
	return nil
}

// explained is a gate for tokens of a key that the test has.
type explained struct {
	*fixture
	key  tokentest.Key
	gate *gate.Gate
}

func newExplained(t testing.TB) explained {
	t.Helper()
	f := newFixture(t)
	key := tokentest.NewKey(t, "ES256")
	f.keys.keys["k2"] = token.VerificationKey{ID: "k2", Algorithm: token.ES256, Public: key.Private.Public()}
	return explained{f, key, f.gate(func(c *gate.Config) {
		c.Issuers = []gate.Issuer{gate.NewOwn(issuerURL, f.keys, refusesOne{})}
		c.AllowClients = []string{"batch"}
		c.Rules = []gate.Rule{{Methods: []string{"GET"}, Pattern: "/orders", Scopes: token.Scopes{"read"}, Origin: "openapi.yaml"}}
	})}
}

func (e explained) attempt(spoil ...func(*attempt)) *gate.Request {
	a := attempt{
		path: "/orders", scheme: "Bearer", header: tokentest.Members{"typ": "at+jwt", "kid": "k2"},
		claims: tokentest.Members{
			"iss": issuerURL, "sub": "batch", "aud": resource, "client_id": "batch", "iat": start.Unix(),
			"exp": start.Unix() + 60, "jti": "x", "scope": "read",
		},
	}
	for _, apply := range spoil {
		apply(&a)
	}
	raw := e.key.Sign(e.t, a.header, a.claims)
	if a.tampered {
		at := strings.LastIndexByte(raw, '.')
		raw = raw[:at+1] + strings.Repeat("A", len(raw)-at-1)
	}
	return get(a.path, a.scheme+" "+raw)
}

// checkSteps holds the steps against the verdict that they are to explain.
func checkSteps(t *testing.T, steps []gate.Step, v gate.Verdict) (failed string) {
	t.Helper()
	at := slices.IndexFunc(steps, func(s gate.Step) bool { return s.Result == gate.Failed })
	if (at < 0) != v.Allowed {
		t.Fatalf("allowed: %v, and %v", v.Allowed, steps)
	}
	for i, step := range steps {
		want := gate.Passed
		switch {
		case at >= 0 && i == at:
			want, failed = gate.Failed, step.Check
		case at >= 0 && i > at:
			want = gate.NotReached
		}
		if step.Result != want {
			t.Errorf("step %s: %s, want %s", step.Check, step.Result, want)
		}
	}
	return failed
}

// Each defect fails the step of its name, and of two the step that the gate
// looks at first: the order of the steps is that of the gate.
func TestExplainFollowsCheck(t *testing.T) {
	t.Parallel()
	e := newExplained(t)
	good := e.attempt()
	v := e.gate.Check(t.Context(), good)
	checkSteps(t, e.gate.Explain(good, &v), v)
	for i, one := range defects {
		for _, other := range defects[i:] {
			r := e.attempt(other.spoil, one.spoil)
			v := e.gate.Check(t.Context(), r)
			if failed := checkSteps(t, e.gate.Explain(r, &v), v); failed != one.step {
				t.Errorf("%s and %s: %s failed (%s)", one.step, other.step, failed, v.Reason)
			}
		}
	}
}

// The order for tokens of another server, whose iss chooses the keys.
func TestExplainForeign(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	g := f.trusting(usual())
	for _, row := range []struct {
		step           string
		header, claims tokentest.Members
	}{
		{"", nil, nil},
		{"iss", tokentest.Members{"typ": "JWT"}, tokentest.Members{"iss": "https://evil.example"}},
		{"typ", tokentest.Members{"typ": "JWT", "alg": "ES256"}, tokentest.Members{"scope": 1}},
		{"alg", tokentest.Members{"alg": "HS256", "kid": "x"}, tokentest.Members{"scope": 1}},
		{"identity", tokentest.Members{"kid": "x"}, tokentest.Members{"scope": 1, "exp": 1}},
		{"key", tokentest.Members{"kid": "x"}, tokentest.Members{"exp": 1}},
		{"exp", nil, tokentest.Members{"exp": 1, "aud": "x"}},
		{"aud", nil, tokentest.Members{"aud": "x"}},
		{"scheme", nil, tokentest.Members{"cnf": tokentest.Members{"jkt": "x"}}},
	} {
		r := get("/", bearer(f.token(row.header, row.claims))...)
		v := g.Check(t.Context(), r)
		if failed := checkSteps(t, g.Explain(r, &v), v); failed != row.step {
			t.Errorf("%q: %q failed (%s)", row.step, failed, v.Reason)
		}
	}
}

// FuzzExplain: whatever a request says, the steps tell of the verdict, and no
// token is in them.
func FuzzExplain(f *testing.F) {
	f.Add("/orders", "Bearer x", "at+jwt", "k2", issuerURL, "read", int64(60))
	f.Add("/a%2fb", "DPoP ", "JWT", "\x1b[2J", "https://x", "a  b", int64(-60))
	f.Fuzz(func(t *testing.T, path, prefix, typ, kid, iss, scope string, exp int64) {
		e := newExplained(t)
		raw := e.key.Sign(t, tokentest.Members{"typ": typ, "kid": kid}, tokentest.Members{
			"iss": iss, "sub": "batch", "aud": resource, "client_id": "batch", "iat": start.Unix(), "exp": start.Unix() + exp%1000,
			"jti": "x", "scope": scope,
		})
		r := get(path, prefix+" "+raw)
		v := e.gate.Check(t.Context(), r)
		steps := e.gate.Explain(r, &v)
		checkSteps(t, steps, v)
		for _, step := range steps {
			if strings.Contains(step.Found, raw) || step.Check != "path" && step.Check != "rule" && strings.ContainsAny(step.Found, "\x1b\n") {
				t.Fatalf("step %s shows %q", step.Check, step.Found)
			}
		}
	})
}
