package gate_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/keys"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token/tokentest"
)

const foreignURL = "https://login.example/realms/acme"

// foreign is another authorization server, and a gate that trusts it beside
// our own issuer.
type foreign struct {
	*fixture
	key  tokentest.Key
	held *keys.Held
}

func newForeign(t testing.TB) foreign {
	t.Helper()
	key := tokentest.NewKey(t, "RS256")
	return foreign{fixture: newFixture(t), key: key, held: heldKeys(t, key)}
}

func heldKeys(t testing.TB, of ...tokentest.Key) *keys.Held {
	t.Helper()
	set, err := keys.ParseSet([]byte(tokentest.Set(t, of...)))
	if err != nil {
		t.Fatal(err)
	}
	return keys.NewHeld(set)
}

// usual is how tokens of others are read by default.
func usual() token.Foreign {
	return token.Foreign{
		Type: token.Type, Algorithms: token.Algorithms(),
		ScopeClaims: []string{"scope", "scp"}, ClientClaims: []string{"client_id", "azp", "sub"},
	}
}

// trusting is a gate for tokens of both issuers.
func (f foreign) trusting(read token.Foreign, change ...func(*gate.Config)) *gate.Gate {
	f.t.Helper()
	trusted := gate.NewTrusted(foreignURL, read, f.held)
	return f.gate(append([]func(*gate.Config){func(c *gate.Config) {
		c.Issuers = append(slices.Clone(c.Issuers), trusted)
	}}, change...)...)
}

// token is one of the other server.
func (f foreign) token(header, claims tokentest.Members) string {
	f.t.Helper()
	return f.key.Sign(f.t, tokentest.Members{"typ": "at+jwt", "kid": f.key.Thumbprint(f.t)}.With(header), tokentest.Members{
		"iss": foreignURL, "sub": "svc", "aud": resource, "client_id": "nightly", "iat": start.Unix(), "exp": start.Unix() + 60,
		"jti": "x", "scope": "read",
	}.With(claims))
}

// Tokens as servers that many use write them, and what is read of them.
func TestForeignShapes(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	anyType := usual()
	anyType.Type = ""
	for name, c := range map[string]struct {
		read           token.Foreign
		header, claims tokentest.Members
		client, scope  string
	}{
		"RFC 9068": {usual(), nil, nil, "nightly", "read"},
		"Keycloak: azp, typ JWT, several aud, roles in objects": {anyType, tokentest.Members{"typ": "JWT"}, tokentest.Members{
			"client_id": nil, "azp": "nightly", "aud": []string{resource, "account"}, "scope": "read profile", "realm_access": tokentest.Members{"roles": []string{"x"}},
		}, "nightly", "read profile"},
		"Entra: scp as a text, appid": {
			token.Foreign{Algorithms: token.Algorithms(), ScopeClaims: []string{"scope", "scp"}, ClientClaims: []string{"appid"}},
			tokentest.Members{"typ": "JWT"}, tokentest.Members{"client_id": nil, "appid": "nightly", "scope": nil, "scp": "read write", "roles": []string{"Orders.Read"}}, "nightly", "read write",
		},
		"Okta: scp as an array, cid": {
			token.Foreign{Algorithms: token.Algorithms(), ScopeClaims: []string{"scp"}, ClientClaims: []string{"cid"}},
			tokentest.Members{"typ": nil}, tokentest.Members{"client_id": nil, "cid": "nightly", "scope": "other", "scp": []string{"read", "write"}}, "nightly", "read write",
		},
		"Auth0: no jti, azp":                        {usual(), nil, tokentest.Members{"client_id": nil, "jti": nil, "azp": "nightly", "gty": "client-credentials"}, "nightly", "read"},
		"Logto: no scope, sub":                      {usual(), nil, tokentest.Members{"client_id": nil, "scope": nil, "sub": "nightly"}, "nightly", ""},
		"Oracle: no typ, numbers and nested claims": {anyType, tokentest.Members{"typ": nil}, tokentest.Members{"tok_type": "AT", "client_guid": "y", "x": tokentest.Members{"y": []any{1, nil, true}}}, "nightly", "read"},
		"empty scope":                               {usual(), nil, tokentest.Members{"scope": ""}, "nightly", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := f.trusting(c.read)
			raw := f.token(c.header, c.claims)
			for range 2 { // the second time from the cache
				verdict := g.Check(t.Context(), get("/", bearer(raw)...))
				if !verdict.Allowed || verdict.Claims.ClientID != c.client || verdict.Claims.Scope.String() != c.scope || verdict.Claims.Issuer != foreignURL {
					t.Fatalf("%s %v %+v", verdict.Reason, verdict.Err, verdict.Claims)
				}
			}
		})
	}
}

// A token of another server is refused for each thing that can be wrong with it.
func TestForeignTokenChecks(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	stranger := newForeign(t)
	for name, c := range map[string]struct {
		raw   string
		check token.Check
	}{
		"of a server that nobody trusts":   {f.token(nil, tokentest.Members{"iss": "https://evil.example"}), token.CheckIssuer},
		"iss with a slash more":            {f.token(nil, tokentest.Members{"iss": foreignURL + "/"}), token.CheckIssuer},
		"no iss":                           {f.token(nil, tokentest.Members{"iss": nil}), token.CheckIssuer},
		"iss is a number":                  {f.token(nil, tokentest.Members{"iss": 1}), token.CheckIssuer},
		"our iss by their key":             {f.token(nil, tokentest.Members{"iss": issuerURL}), token.CheckKey},
		"their iss by a stranger":          {stranger.token(nil, nil), token.CheckKey},
		"their kid by a stranger":          {stranger.token(tokentest.Members{"kid": f.key.Thumbprint(t)}, nil), token.CheckSignature},
		"their iss by our key":             {f.sign(&token.Claims{Issuer: foreignURL, Subject: "x", ClientID: "x", Audience: []string{resource}, Expires: start.Unix() + 60, IssuedAt: start.Unix(), ID: "x"}), token.CheckKey},
		"typ JWT where at+jwt is expected": {f.token(tokentest.Members{"typ": "JWT"}, nil), token.CheckType},
		"no typ where at+jwt is expected":  {f.token(tokentest.Members{"typ": nil}, nil), token.CheckType},
		"alg none":                         {f.token(tokentest.Members{"alg": "none"}, nil), token.CheckAlgorithm},
		"alg HS256":                        {f.token(tokentest.Members{"alg": "HS256"}, nil), token.CheckAlgorithm},
		"alg of another kind of key":       {f.token(tokentest.Members{"alg": "ES256"}, nil), token.CheckKey},
		"crit":                             {f.token(tokentest.Members{"crit": []string{"x"}}, nil), token.CheckFormat},
		"no exp":                           {f.token(nil, tokentest.Members{"exp": nil}), token.CheckExpired},
		"expired":                          {f.token(nil, tokentest.Members{"exp": start.Unix() - 30}), token.CheckExpired},
		"not yet valid":                    {f.token(nil, tokentest.Members{"nbf": start.Unix() + 31}), token.CheckNotYet},
		"no aud":                           {f.token(nil, tokentest.Members{"aud": nil}), token.CheckAudience},
		"aud of another":                   {f.token(nil, tokentest.Members{"aud": []string{"https://other"}}), token.CheckAudience},
		"aud is a number":                  {f.token(nil, tokentest.Members{"aud": 1}), token.CheckFormat},
		"no client at all":                 {f.token(nil, tokentest.Members{"client_id": nil, "sub": nil}), token.CheckIdentity},
		"client_id with a line break":      {f.token(nil, tokentest.Members{"client_id": "a\r\nb"}), token.CheckIdentity},
		"client_id ends in a space":        {f.token(nil, tokentest.Members{"client_id": "a "}), token.CheckIdentity},
		"client_id is empty":               {f.token(nil, tokentest.Members{"client_id": ""}), token.CheckIdentity},
		"scope with a line break":          {f.token(nil, tokentest.Members{"scope": "read\nadmin"}), token.CheckIdentity},
		"scope not ASCII":                  {f.token(nil, tokentest.Members{"scope": "lesen äöü"}), token.CheckIdentity},
		"scope ends in a space":            {f.token(nil, tokentest.Members{"scope": "read "}), token.CheckIdentity},
		"scope value with a space":         {f.token(nil, tokentest.Members{"scope": []string{"read write"}}), token.CheckIdentity},
		"scope of numbers":                 {f.token(nil, tokentest.Members{"scope": []int{1}}), token.CheckIdentity},
		"scope is an object":               {f.token(nil, tokentest.Members{"scope": tokentest.Members{}}), token.CheckIdentity},
		"bound in a way nobody knows":      {f.token(nil, tokentest.Members{"cnf": tokentest.Members{"kid": "x"}}), token.CheckFormat},
		"bound to a key":                   {f.token(nil, tokentest.Members{"cnf": tokentest.Members{"jkt": "x"}}), token.CheckBound},
		"a claim twice":                    {f.key.SignText(t, `{"alg":"RS256","typ":"at+jwt"}`, `{"iss":"`+foreignURL+`","aud":"a","aud":"b"}`), token.CheckFormat},
		"no JWS":                           {"x", token.CheckFormat},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			verdict := f.trusting(usual()).Check(t.Context(), get("/", bearer(c.raw)...))
			if verdict.Allowed || verdict.Reason != gate.Reason(c.check) || verdict.Status() != 401 {
				t.Fatalf("got %v %s (%v)", verdict.Allowed, verdict.Reason, verdict.Err)
			}
		})
	}
}

// Two servers with one kid are two, and a gate takes tokens of those alone that
// it names, also where the cache has one that another gate has found good.
func TestIssuersDoNotMix(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	other := tokentest.NewKey(t, "RS256")
	shared := gate.NewCache()
	kid := tokentest.Members{"kid": "1", "typ": "at+jwt"}
	set := func(key tokentest.Key) *keys.Held {
		held, err := keys.ParseSet([]byte(`{"keys":[` + jwkText(t, key.JWK().With(tokentest.Members{"kid": "1"})) + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		return keys.NewHeld(held)
	}
	first, second := gate.NewTrusted("https://one.example", usual(), set(f.key)), gate.NewTrusted("https://two.example", usual(), set(other))
	of := func(issuers ...gate.Issuer) *gate.Gate {
		return f.gate(func(c *gate.Config) { c.Issuers, c.Cache = issuers, shared })
	}
	sign := func(key tokentest.Key, issuer string) string {
		return key.Sign(t, kid, tokentest.Members{"iss": issuer, "sub": "a", "client_id": "a", "aud": resource, "exp": start.Unix() + 60})
	}
	good := map[string]string{"one": sign(f.key, "https://one.example"), "two": sign(other, "https://two.example"), "own": f.sign(f.claims())}
	gates := map[string]*gate.Gate{"one": of(first), "two": of(second), "own": of(f.own), "both": of(first, second)}
	for range 2 {
		for issuer, raw := range good {
			for name, g := range gates {
				verdict := g.Check(t.Context(), get("/", bearer(raw)...))
				if want := name == issuer || name == "both" && issuer != "own"; verdict.Allowed != want {
					t.Errorf("a token of %s at the gate for %s: %v %s", issuer, name, verdict.Allowed, verdict.Reason)
				}
			}
		}
	}
	for _, raw := range []string{sign(f.key, "https://two.example"), sign(other, "https://one.example")} {
		if verdict := gates["both"].Check(t.Context(), get("/", bearer(raw)...)); verdict.Allowed {
			t.Error("the key of one signs for the other")
		}
	}
}

func jwkText(t *testing.T, jwk tokentest.Members) string {
	t.Helper()
	text, err := json.Marshal(jwk)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A key that is gone takes what was remembered with it.
func TestForeignKeysChange(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	g := f.trusting(usual())
	request := get("/", bearer(f.token(nil, nil))...)
	if verdict := g.Check(t.Context(), request); !verdict.Allowed {
		t.Fatal(verdict.Err)
	}
	f.held.Replace(nil)
	if verdict := g.Check(t.Context(), request); verdict.Allowed || verdict.Reason != gate.Reason(token.CheckKey) {
		t.Fatalf("got %v %s", verdict.Allowed, verdict.Reason)
	}
}

// Whom allow_clients and allow_clients_of name: one refuses the other's.
func TestAllowClientsOf(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	own, theirs := f.sign(f.claims()), f.token(nil, nil)
	same := f.token(nil, tokentest.Members{"client_id": "batch"})
	for name, c := range map[string]struct {
		clients []string
		of      map[string][]string
		passes  []bool // own, theirs, theirs with the name of our own
	}{
		"neither":       {nil, nil, []bool{true, true, true}},
		"own":           {[]string{"batch"}, nil, []bool{true, false, false}},
		"theirs":        {nil, map[string][]string{foreignURL: {"nightly"}}, []bool{false, true, false}},
		"both":          {[]string{"batch"}, map[string][]string{foreignURL: {"nightly"}}, []bool{true, true, false}},
		"of a third":    {nil, map[string][]string{"https://third.example": {"nightly", "batch"}}, []bool{false, false, false}},
		"crosswise":     {[]string{"nightly"}, map[string][]string{foreignURL: {"batch"}}, []bool{false, false, true}},
		"own, a prefix": {[]string{"bat"}, nil, []bool{false, false, false}},
	} {
		g := f.trusting(usual(), func(config *gate.Config) { config.AllowClients, config.AllowClientsOf = c.clients, c.of })
		for i, raw := range []string{own, theirs, same} {
			verdict := g.Check(t.Context(), get("/", bearer(raw)...))
			if verdict.Allowed != c.passes[i] || !verdict.Allowed && (verdict.Status() != 403 || verdict.Reason != gate.ReasonClient) {
				t.Errorf("%s, token %d: %v %s", name, i, verdict.Allowed, verdict.Reason)
			}
		}
	}
}

// A server whose keys cannot be had refuses its tokens, and says why; our own
// are judged as ever, and nobody is asked for a server that is not trusted.
func TestForeignKeysOutOfReach(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	unreachable := &countingKeys{}
	g := f.gate(func(c *gate.Config) {
		c.Issuers = append(slices.Clone(c.Issuers), gate.NewTrusted(foreignURL, usual(), unreachable))
	})
	verdict := g.Check(t.Context(), get("/", bearer(f.token(nil, nil))...))
	if verdict.Reason != gate.Reason(token.CheckKey) || verdict.Err == nil || !strings.Contains(verdict.Err.Error(), "out of reach") {
		t.Fatalf("got %s %v", verdict.Reason, verdict.Err)
	}
	for _, raw := range []string{f.sign(f.claims()), f.token(nil, tokentest.Members{"iss": "https://evil.example"}), f.token(tokentest.Members{"alg": "none"}, nil)} {
		g.Check(t.Context(), get("/", bearer(raw)...))
	}
	if unreachable.asked.Load() != 1 {
		t.Errorf("asked %d times", unreachable.asked.Load())
	}
}

type countingKeys struct{ asked atomic.Int64 }

func (k *countingKeys) Find(context.Context, string, token.Algorithm) ([]token.VerificationKey, error) {
	k.asked.Add(1)
	return nil, errors.New("out of reach")
}

func (*countingKeys) Generation() uint64 { return 0 }

// FuzzForeign: no text panics, and one that nobody signed lets nobody in.
func FuzzForeign(f *testing.F) {
	server := newForeign(f)
	good := server.token(nil, nil)
	g := server.trusting(usual())
	f.Add(good)
	f.Add(good[:len(good)-2])
	f.Add(server.sign(server.claims()))
	f.Fuzz(func(t *testing.T, raw string) {
		verdict := g.Check(t.Context(), get("/", "Bearer "+raw))
		if verdict.Allowed && strings.Trim(raw, " ") != good && verdict.Claims.Issuer != issuerURL {
			t.Fatalf("%q passed", raw)
		}
	})
}
