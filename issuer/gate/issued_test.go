package gate_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// issue makes a token and tells the cache of it, as the issuer beside the gates does.
func (f *fixture) issue(claims *token.Claims) string {
	f.t.Helper()
	raw := f.sign(claims)
	f.config.Cache.Issued(f.own, f.signer.KeyID(), raw, claims)
	return raw
}

// A token that this process has signed needs no key at its first request, and says
// what a verified one says.
func TestIssuedTokenIsKnown(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := f.gate()
	claims := f.claims("read")
	raw := f.issue(claims)
	lookups := f.keys.lookups.Load()
	verdict := g.Check(t.Context(), get("/", bearer(raw)...))
	if !verdict.Allowed || verdict.Fresh || verdict.Claims == nil || !reflect.DeepEqual(verdict.Claims, claims) || f.keys.lookups.Load() != lookups {
		t.Errorf("%+v after %d key look-ups", verdict, f.keys.lookups.Load()-lookups)
	}
	if f.clients.asked.Load() != 1 {
		t.Error("the client was not judged")
	}
	// Only one that comes again is among those in use.
	for time, want := range []int{0, 1, 1} {
		if got := f.config.Cache.Len(); got != want {
			t.Errorf("%d tokens are in use after request %d, expected %d", got, time+1, want)
		}
		if verdict := g.Check(t.Context(), get("/", bearer(raw)...)); !verdict.Allowed || verdict.Fresh {
			t.Errorf("request %d: %+v", time+2, verdict)
		}
	}
}

// What is spared is the signature alone: all else is judged as for a token that
// comes from elsewhere.
func TestIssuedTokenIsJudged(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		claims func(*token.Claims)
		change func(*fixture)
		reason gate.Reason
	}{
		"expired":          {change: func(f *fixture) { f.pass(2 * time.Minute) }, reason: gate.Reason(token.CheckExpired)},
		"another resource": {claims: func(c *token.Claims) { c.Audience = []string{"https://other.example"} }, reason: gate.Reason(token.CheckAudience)},
		"client disabled":  {change: func(f *fixture) { f.clients.refuse(token.CheckClient) }, reason: gate.Reason(token.CheckClient)},
		"token revoked":    {change: func(f *fixture) { f.clients.refuse(token.CheckRevoked) }, reason: gate.Reason(token.CheckRevoked)},
		"key gone":         {change: func(f *fixture) { f.keys.forget("k1") }, reason: gate.Reason(token.CheckKey)},
		"lacks a scope":    {claims: func(c *token.Claims) { c.Scope = nil }, reason: gate.ReasonScope},
		"bound to a key": {
			claims: func(c *token.Claims) { c.Confirmation = &token.Confirmation{KeyThumbprint: "0ZcOCORZNYy"} },
			reason: gate.Reason(token.CheckBound),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			g := f.gate(func(c *gate.Config) { c.Scopes = token.Scopes{"read"} })
			claims := f.claims("read")
			if one.claims != nil {
				one.claims(claims)
			}
			raw := f.issue(claims)
			if one.change != nil {
				one.change(f)
			}
			if verdict := g.Check(t.Context(), get("/", bearer(raw)...)); verdict.Allowed || verdict.Reason != one.reason {
				t.Errorf("allowed %t, %s", verdict.Allowed, verdict.Reason)
			}
		})
	}
}

// Another text with the same claims is another token: its signature is checked.
func TestIssuedTokenIsNoOther(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := f.gate()
	raw := f.issue(f.claims())
	header, rest, _ := strings.Cut(raw, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	for name, altered := range map[string]string{
		"signature of another": header + "." + payload + "." + strings.Repeat("A", len(signature)),
		"no signature":         header + "." + payload + ".",
		"another claim":        header + "." + payload[:len(payload)-4] + "AAAA." + signature,
	} {
		if verdict := g.Check(t.Context(), get("/", bearer(altered)...)); verdict.Allowed || !verdict.Fresh {
			t.Errorf("%s: allowed %t, checked %t", name, verdict.Allowed, verdict.Fresh)
		}
	}
	if got := f.config.Cache.Len(); got != 0 {
		t.Errorf("%d tokens are remembered", got)
	}
}

// Nothing is remembered that no gate could use, or that a gate would refuse.
func TestIssuedTokenIsNotRemembered(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*fixture, *token.Claims) (keyID, raw string){
		"key that is not there": func(f *fixture, c *token.Claims) (string, string) { return "k2", f.sign(c) },
		"key that went meanwhile": func(f *fixture, c *token.Claims) (string, string) {
			raw := f.sign(c)
			f.keys.forget("k1")
			return "k1", raw
		},
		"too long":            func(*fixture, *token.Claims) (string, string) { return "k1", strings.Repeat("a", token.MaxLength+1) },
		"another issuer":      func(f *fixture, c *token.Claims) (string, string) { c.Issuer += "/"; return "k1", f.sign(c) },
		"no exp":              func(f *fixture, c *token.Claims) (string, string) { c.Expires = 0; return "k1", f.sign(c) },
		"no jti":              func(f *fixture, c *token.Claims) (string, string) { c.ID = ""; return "k1", f.sign(c) },
		"no client that fits": func(f *fixture, c *token.Claims) (string, string) { c.ClientID = "a\n"; return "k1", f.sign(c) },
		"no gate takes its tokens": func(f *fixture, c *token.Claims) (string, string) {
			f.own = gate.NewOwn(issuerURL, f.keys, f.clients)
			return "k1", f.sign(c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.gate()
			claims := f.claims()
			keyID, raw := change(f, claims)
			f.config.Cache.Issued(f.own, keyID, raw, claims)
			if got := f.config.Cache.IssuedLen(); got != 0 {
				t.Errorf("%d tokens are remembered", got)
			}
		})
	}
}

// Tokens that are fetched and never used, however many, do not take the place of
// those in use, and there is a bound to what is remembered of them.
func TestIssuedTokensDisplaceNone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := f.gate()
	used := make([]*gate.Request, 50)
	for i := range used {
		used[i] = get("/", bearer(f.issue(f.claims()))...)
		for range 2 {
			g.Check(t.Context(), used[i])
		}
	}
	claims := f.claims()
	for i := range 5 * gate.MaxIssued {
		f.config.Cache.Issued(f.own, "k1", strings.Repeat("x", 500)+strconv.Itoa(i), claims)
	}
	for i, request := range used {
		if g.Check(t.Context(), request).Fresh {
			t.Errorf("token %d, which is in use, was forgotten", i)
		}
	}
	if got := f.config.Cache.IssuedLen(); got != gate.MaxIssued {
		t.Errorf("%d tokens are remembered", got)
	}
}

// The bound holds in bytes too: a token may have 16 KiB, and more than that in memory.
func TestIssuedTokensOfAnyLength(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.gate()
	cache, claims := f.config.Cache, f.claims()
	long := strings.Repeat("x", token.MaxLength-10)
	for i := range gate.MaxIssued {
		cache.Issued(f.own, "k1", long[:i%4*len(long)/3]+strconv.Itoa(i), claims)
		if weight, noted := cache.IssuedBytes(); i%100 == 0 && (weight != noted || weight > gate.MaxIssuedBytes) {
			t.Fatalf("after %d tokens: %d bytes, noted %d", i, weight, noted)
		}
	}
	if weight, _ := cache.IssuedBytes(); weight < gate.MaxIssuedBytes*9/10 {
		t.Errorf("only %d bytes are remembered", weight)
	}
	cache.Issued(f.own, "k1", long, claims)
	f.pass(2 * time.Minute)
	f.gate().Check(t.Context(), get("/", bearer(long)...)) // it has expired
	if weight, noted := cache.IssuedBytes(); weight != noted {
		t.Errorf("%d bytes, noted %d", weight, noted)
	}
}

// However many tokens are in use, those that were made last are known at their first
// request, and as long as they are used.
func TestIssuedTokensAmongMany(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := f.gate()
	f.config.Cache.Fill()
	requests := make([]*gate.Request, 1000)
	for i := range requests {
		requests[i] = get("/", bearer(f.issue(f.claims()))...)
	}
	for range 5 {
		for i, request := range requests {
			if verdict := g.Check(t.Context(), request); !verdict.Allowed || verdict.Fresh {
				t.Fatalf("token %d: allowed %t, checked %t", i, verdict.Allowed, verdict.Fresh)
			}
		}
	}
}

// One that has expired is forgotten wherever it was remembered.
func TestIssuedTokenIsForgotten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g, request := f.gate(), get("/", bearer(f.issue(f.claims()))...)
	f.pass(2 * time.Minute)
	if verdict := g.Check(t.Context(), request); verdict.Allowed {
		t.Error("allowed")
	}
	if used, issued := f.config.Cache.Len(), f.config.Cache.IssuedLen(); used+issued != 0 {
		t.Errorf("%d and %d tokens are remembered", used, issued)
	}
}
