package gate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// A token is refused for each thing that can be wrong with it, and the answer
// names the check (contract section 5).
func TestTokenChecks(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(*token.Claims)
		check  token.Check // empty: passes
	}{
		{"good", func(*token.Claims) {}, ""},
		{"two audiences, one ours", func(c *token.Claims) { c.Audience = []string{"https://other", resource} }, ""},
		{"issuer of another", func(c *token.Claims) { c.Issuer = "https://evil.example" }, token.CheckIssuer},
		{"issuer with a slash more", func(c *token.Claims) { c.Issuer += "/" }, token.CheckIssuer},
		{"issuer in capitals", func(c *token.Claims) { c.Issuer = strings.ToUpper(c.Issuer) }, token.CheckIssuer},
		{"audience of another", func(c *token.Claims) { c.Audience = []string{"https://other"} }, token.CheckAudience},
		{"audience with a slash more", func(c *token.Claims) { c.Audience = []string{resource + "/"} }, token.CheckAudience},
		{"audience is a prefix", func(c *token.Claims) { c.Audience = []string{"https://api.example"} }, token.CheckAudience},
		{"no audience", func(c *token.Claims) { c.Audience = []string{} }, token.CheckAudience},
		{"expired beyond the leeway", func(c *token.Claims) { c.Expires = start.Unix() - 30 }, token.CheckExpired},
		{"expired within the leeway", func(c *token.Claims) { c.Expires = start.Unix() - 29 }, ""},
		{"not yet, beyond the leeway", func(c *token.Claims) { c.NotBefore = start.Unix() + 31 }, token.CheckNotYet},
		{"not yet, within the leeway", func(c *token.Claims) { c.NotBefore = start.Unix() + 30 }, ""},
		{"from the future", func(c *token.Claims) { c.IssuedAt = start.Unix() + 31 }, token.CheckNotYet},
		{"no subject", func(c *token.Claims) { c.Subject = "" }, token.CheckFormat},
		{"no jti", func(c *token.Claims) { c.ID = "" }, token.CheckFormat},
		{"no client_id", func(c *token.Claims) { c.ClientID = "" }, token.CheckIdentity},
		{"bound to a key", func(c *token.Claims) { c.Confirmation = &token.Confirmation{KeyThumbprint: "x"} }, token.CheckBound},
		{"bound to a certificate", func(c *token.Claims) { c.Confirmation = &token.Confirmation{CertificateThumbprint: "x"} }, token.CheckCertificate},
		{"client_id with a line break", func(c *token.Claims) { c.ClientID = "a\r\nX-Admin: 1" }, token.CheckIdentity},
		{"client_id not ASCII", func(c *token.Claims) { c.ClientID = "bätch" }, token.CheckIdentity},
		{"client_id ends in a space", func(c *token.Claims) { c.ClientID = "batch " }, token.CheckIdentity},
		{"client_id begins with a space", func(c *token.Claims) { c.ClientID = " batch" }, token.CheckIdentity},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			claims := f.claims()
			c.change(claims)
			g := f.gate()
			for range 2 { // the second time from the cache
				verdict := g.Check(t.Context(), get("/", bearer(f.sign(claims))...))
				if c.check == "" {
					if !verdict.Allowed {
						t.Fatalf("refused: %s (%v)", verdict.Reason, verdict.Err)
					}
					continue
				}
				challenge := strings.Join(g.Challenges(&verdict), "; ")
				if verdict.Allowed || verdict.Reason != gate.Reason(c.check) || verdict.Status() != 401 ||
					!strings.Contains(challenge, `error="invalid_token"`) ||
					!strings.Contains(challenge, `error_description="`+c.check.Description()+`"`) {
					t.Fatalf("got %v %s %d %s", verdict.Allowed, verdict.Reason, verdict.Status(), challenge)
				}
			}
		})
	}
}

// Tokens that never were one of ours: no panic, always 401, and the same text.
func TestForeignTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := f.gate()
	good := f.sign(f.claims())
	stranger := newFixture(t)
	for name, raw := range map[string]string{
		"empty":                 "",
		"dots":                  "..",
		"not base64":            "a.b.c",
		"a space inside":        good + " x",
		"NUL":                   "\x00",
		"invalid UTF-8":         "\xff\xfe",
		"cut":                   good[:len(good)-4],
		"signed by a stranger":  stranger.sign(stranger.claims()),
		"longer than any token": strings.Repeat("a", token.MaxLength+1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			verdict := g.Check(t.Context(), get("/", "Bearer "+raw))
			if verdict.Allowed || verdict.Status() != 401 || verdict.Code() != "invalid_token" || verdict.Claims != nil {
				t.Fatalf("got %+v", verdict)
			}
		})
	}
}

// Where the token is looked for, and how often it may stand (RFC 6750 section 2.1).
func TestAuthorizationHeader(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := f.gate()
	good := f.sign(f.claims())
	cases := []struct {
		name   string
		fields []string
		status int // 0: passes
		reason gate.Reason
	}{
		{"none", nil, 401, gate.ReasonNoToken},
		{"Bearer", []string{"Bearer " + good}, 0, gate.ReasonToken},
		{"any case", []string{"bEaReR " + good}, 0, gate.ReasonToken},
		{"spaces around", []string{"Bearer   " + good + " "}, 0, gate.ReasonToken},
		{"no scheme", []string{good}, 401, gate.ReasonScheme},
		{"Basic", []string{"Basic YTpi"}, 401, gate.ReasonScheme},
		{"DPoP, and the token is not bound", []string{"DPoP " + good}, 401, gate.Reason(token.CheckUnbound)},
		{"empty", []string{""}, 401, gate.ReasonScheme},
		{"scheme alone", []string{"Bearer"}, 401, gate.Reason(token.CheckFormat)},
		{"a tab for a space", []string{"Bearer\t" + good}, 401, gate.ReasonScheme},
		{"two fields", []string{"Bearer " + good, "Bearer " + good}, 400, gate.ReasonDuplicate},
		{"two fields, one empty", []string{"Bearer " + good, ""}, 400, gate.ReasonDuplicate},
		{"joined by a proxy", []string{"Bearer " + good + ", Bearer " + good}, 400, gate.ReasonDuplicate},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			verdict := g.Check(t.Context(), get("/", c.fields...))
			if verdict.Allowed != (c.status == 0) || verdict.Reason != c.reason {
				t.Fatalf("got %v %s", verdict.Allowed, verdict.Reason)
			}
			if c.status != 0 && verdict.Status() != c.status {
				t.Fatalf("status %d", verdict.Status())
			}
		})
	}
}

// What RFC 6750 section 3 and RFC 9728 section 5.1 want in the challenge.
func TestChallenges(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	read := f.sign(f.claims("read"))
	g := f.gate(func(c *gate.Config) {
		c.Realm = `a "quoted" \realm`
		c.Scopes = token.Scopes{"base"}
		c.Rules = []gate.Rule{
			{Pattern: "/x", Scopes: token.Scopes{"write", "read"}},
			{Pattern: "/or", Alternatives: []token.Scopes{{"a", "b"}, {"read", "c"}}},
		}
	})
	const head = `Bearer realm="a \"quoted\" \\realm", resource_metadata="https://api.example/.well-known/oauth-protected-resource/v1"`
	const algs = `algs="ES256 ES384 EdDSA Ed25519 RS256 PS256"`
	also, dpop := "; DPoP "+algs, strings.Replace(head, "Bearer", "DPoP", 1)+", "+algs
	for _, c := range []struct {
		name    string
		request *gate.Request
		status  int
		code    string
		field   string
	}{
		{"no token", get("/x"), 401, "unauthorized", head + also},
		{"bad token", get("/x", "Bearer x"), 401, "invalid_token", head + `, error="invalid_token", error_description="the access token is malformed"`},
		{"bad token as DPoP", get("/x", "DPoP x"), 401, "invalid_token", dpop + `, error="invalid_token", error_description="the access token is malformed"`},
		{"two tokens", get("/x", "Bearer a", "Bearer b"), 400, "invalid_request", head + `, error="invalid_request", error_description="more than one access token"`},
		{"scope", get("/x", bearer(read)...), 403, "insufficient_scope", head + `, error="insufficient_scope", error_description="the access token lacks a scope that is needed", scope="base write read"`},
		{"alternatives", get("/or", bearer(read)...), 403, "insufficient_scope", head + `, error="insufficient_scope", error_description="the access token lacks a scope that is needed", scope="base read c"`},
		{"no rule", get("/y", bearer(read)...), 403, "access_denied", ""},
		{"no rule, no token", get("/y"), 401, "unauthorized", head + also},
		{"path", get("//x", bearer(read)...), 400, "invalid_request", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			verdict := g.Check(t.Context(), c.request)
			if got := strings.Join(g.Challenges(&verdict), "; "); got != c.field || verdict.Status() != c.status || verdict.Code() != c.code {
				t.Fatalf("got %d %s %s", verdict.Status(), verdict.Code(), got)
			}
		})
	}
}

// Rules and the token together: public paths, refused clients, no rule.
func TestAuthorize(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := f.gate(func(c *gate.Config) {
		c.AllowClients = []string{"batch"}
		c.Rules = []gate.Rule{
			{Methods: []string{"GET"}, Pattern: "/orders", Scopes: token.Scopes{"read"}},
			{Methods: []string{"POST"}, Pattern: "/orders", Scopes: token.Scopes{"read", "write"}},
			{Pattern: "/any", Scopes: token.Scopes{"a", "b"}, Any: true},
			{Pattern: "/health", Public: true},
		}
	})
	other := f.claims("read")
	other.ClientID = "other"
	read, both, foreign := bearer(f.sign(f.claims("read"))), bearer(f.sign(f.claims("write", "read"))), bearer(f.sign(other))
	for _, c := range []struct {
		name, method, path string
		token              []string
		reason             gate.Reason
		allowed            bool
	}{
		{"scope", "GET", "/orders", read, gate.ReasonToken, true},
		{"HEAD follows GET", "HEAD", "/orders", read, gate.ReasonToken, true},
		{"one of two scopes", "POST", "/orders", read, gate.ReasonScope, false},
		{"both scopes", "POST", "/orders", both, gate.ReasonToken, true},
		{"read is not reader", "GET", "/orders", bearer(f.sign(f.claims("reader", "read:all", "READ"))), gate.ReasonScope, false},
		{"any of them: none", "GET", "/any", read, gate.ReasonScope, false},
		{"any of them: one", "GET", "/any", bearer(f.sign(f.claims("b"))), gate.ReasonToken, true},
		{"method without a rule", "DELETE", "/orders", both, gate.ReasonNoRule, false},
		{"OPTIONS is a method like any other", "OPTIONS", "/orders", nil, gate.ReasonNoToken, false},
		{"path without a rule", "GET", "/other", both, gate.ReasonNoRule, false},
		{"client not allowed", "GET", "/orders", foreign, gate.ReasonClient, false},
		{"public", "GET", "/health", nil, gate.ReasonPublic, true},
		{"public with Basic, which is no token", "GET", "/health", []string{"Basic YTpi"}, gate.ReasonPublic, true},
		{"public with a bad token", "GET", "/health", []string{"Bearer x"}, gate.Reason(token.CheckFormat), false},
		{"public with two tokens", "GET", "/health", []string{"Bearer x", "Bearer x"}, gate.ReasonDuplicate, false},
		{"public with a good token", "GET", "/health", foreign, gate.ReasonPublic, true},
		{"a bad token where no rule stands", "GET", "/other", []string{"Bearer x"}, gate.Reason(token.CheckFormat), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			verdict := g.Check(t.Context(), &gate.Request{Method: c.method, EscapedPath: c.path, Path: c.path, Authorization: c.token})
			if verdict.Allowed != c.allowed || verdict.Reason != c.reason {
				t.Fatalf("got %v %s (%v)", verdict.Allowed, verdict.Reason, verdict.Err)
			}
		})
	}
}

// A gate without rules demands a valid token for every path, and looks at none.
func TestNoRules(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := f.gate()
	if verdict := g.Check(t.Context(), get("//a/../b")); verdict.Allowed || verdict.Status() != 401 {
		t.Fatalf("without a token: %+v", verdict)
	}
	if verdict := g.Check(t.Context(), get("//a/../b", bearer(f.sign(f.claims()))...)); !verdict.Allowed {
		t.Fatalf("with a token: %+v", verdict)
	}
}

// What is refused says why to the log and shows no part of the token.
func TestRefusalsShowNoToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := f.gate()
	raw := f.sign(f.claims())
	parts := strings.Split(raw, ".")
	broken := parts[0] + "." + parts[1] + "." + parts[2][:20] + "AAAA" + parts[2][24:]
	verdict := g.Check(t.Context(), get("/", "Bearer "+broken))
	text := strings.Join(g.Challenges(&verdict), "; ") + verdict.Description() + errors.Join(verdict.Err).Error()
	for _, part := range append(parts, "batch") {
		if strings.Contains(text, part) {
			t.Fatalf("shows %q: %s", part, text)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, change := range map[string]func(*gate.Config){
		"no issuer":   func(c *gate.Config) { c.Issuers = nil },
		"no resource": func(c *gate.Config) { c.Resource = "" },
		"no proofs":   func(c *gate.Config) { c.Proofs = nil },
		"no cache":    func(c *gate.Config) { c.Cache = nil },
		"bad rule":    func(c *gate.Config) { c.Rules = []gate.Rule{{Pattern: "orders"}} },
	} {
		config := f.config
		change(&config)
		if _, err := gate.New(config); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The usual request must stay cheap: a look-up, not a parse.
func TestKnownTokenAllocations(t *testing.T) {
	f := newFixture(t)
	g, request := f.gate(), get("/orders/17", bearer(f.sign(f.claims("read")))...)
	if verdict := g.Check(t.Context(), request); !verdict.Allowed {
		t.Fatal(verdict.Reason)
	}
	if allocations := testing.AllocsPerRun(200, func() { _ = g.Check(t.Context(), request) }); allocations > 0 {
		t.Errorf("%.0f allocations", allocations)
	}
}
