package gate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// directly takes one value at each bridge, and refuses others as told.
type directly struct {
	value   string
	scope   token.Scopes
	refusal *gate.Refusal
	mutex   sync.Mutex
	asked   []gate.Offer
}

func (d *directly) Judge(_ context.Context, offer *gate.Offer) (*token.Claims, *gate.Refusal) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.asked = append(d.asked, *offer)
	if offer.Value != d.value {
		return nil, d.refusal
	}
	return &token.Claims{Issuer: issuerURL, ClientID: "legacy", Audience: []string{offer.Resource}, Scope: d.scope}, nil
}

const basicField = "Basic bGVnYWN5OnNlY3JldA=="

var wrongSecret = &gate.Refusal{Status: 401, Reason: "wrong_secret", Cause: errors.New("wrong")}

// bridged is a gate with both bridges: that for Basic ends in a minute.
func bridged(f *fixture, direct gate.Direct, change ...func(*gate.Config)) *gate.Gate {
	return f.gate(append([]func(*gate.Config){func(c *gate.Config) {
		c.Bridges = []gate.Bridge{{Kind: gate.BridgeBasic, Until: start.Add(time.Minute)}, {Kind: gate.BridgeAPIKey}}
		c.Direct = direct
		c.Rules = []gate.Rule{{Pattern: "/orders/", Scopes: token.Scopes{"read"}}, {Pattern: "/admin/", Scopes: token.Scopes{"admin"}}, {Pattern: "/open", Public: true}}
	}}, change...)...)
}

func keyed(path string, keys ...string) *gate.Request {
	r := get(path)
	r.Keys, r.Address = keys, "192.0.2.7"
	return r
}

// with adds API keys to a request.
func with(r *gate.Request, keys ...string) *gate.Request {
	r.Keys = keys
	return r
}

func TestBridge(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	key, basic := &directly{value: "key", scope: token.Scopes{"read"}, refusal: wrongSecret}, &directly{value: basicField, scope: token.Scopes{"read"}, refusal: wrongSecret}
	raw := f.sign(f.claims("read"))
	form := func(r *gate.Request) *gate.Request {
		r.Form = []string{raw}
		return r
	}
	for name, test := range map[string]struct {
		direct  *directly
		request *gate.Request
		status  int // 0: passes
		reason  gate.Reason
		kind    gate.BridgeKind
	}{
		"basic":                 {basic, get("/orders/7", basicField), 0, gate.ReasonBridge, gate.BridgeBasic},
		"basic in lower case":   {basic, get("/orders/7", "basic"+basicField[5:]), 401, "wrong_secret", gate.BridgeBasic},
		"key":                   {key, keyed("/orders/7", "key"), 0, gate.ReasonBridge, gate.BridgeAPIKey},
		"wrong basic":           {basic, get("/orders/7", "Basic bGVnYWN5Og=="), 401, "wrong_secret", gate.BridgeBasic},
		"wrong key":             {key, keyed("/orders/7", "wrong"), 401, "wrong_secret", gate.BridgeAPIKey},
		"wrong key, open":       {key, keyed("/open", "wrong"), 401, "wrong_secret", gate.BridgeAPIKey},
		"wrong key, no rule":    {key, keyed("/x", "wrong"), 401, "wrong_secret", gate.BridgeAPIKey},
		"key, open":             {key, keyed("/open", "key"), 0, gate.ReasonPublic, gate.BridgeAPIKey},
		"key, no rule":          {key, keyed("/x", "key"), 403, gate.ReasonNoRule, gate.BridgeAPIKey},
		"key, lacks scope":      {key, keyed("/admin/", "key"), 403, gate.ReasonScope, gate.BridgeAPIKey},
		"key, ambiguous path":   {key, keyed("/orders/../admin", "key"), 400, gate.ReasonPath, ""},
		"nothing":               {key, get("/orders/7"), 401, gate.ReasonNoToken, ""},
		"nothing, open":         {key, get("/open"), 0, gate.ReasonPublic, ""},
		"another scheme":        {basic, get("/orders/7", "Digest x"), 401, gate.ReasonScheme, ""},
		"another scheme, key":   {key, with(get("/orders/7", "Digest x"), "key"), 0, gate.ReasonBridge, gate.BridgeAPIKey},
		"token":                 {key, get("/orders/7", "Bearer "+raw), 0, gate.ReasonToken, ""},
		"token and key":         {key, with(get("/orders/7", "Bearer "+raw), "key"), 400, gate.ReasonMixed, ""},
		"bad token and key":     {key, with(get("/orders/7", "Bearer x"), "key"), 400, gate.ReasonMixed, ""},
		"DPoP and key":          {key, with(get("/orders/7", "DPoP "+raw), "key"), 400, gate.ReasonMixed, ""},
		"basic and key":         {basic, with(get("/orders/7", basicField), "key"), 400, gate.ReasonMixed, ""},
		"two keys":              {key, keyed("/orders/7", "key", "key"), 400, gate.ReasonMixed, ""},
		"two keys, open":        {key, keyed("/open", "key", "key"), 400, gate.ReasonMixed, ""},
		"two fields":            {basic, get("/orders/7", basicField, "Bearer "+raw), 400, gate.ReasonDuplicate, ""},
		"two basic":             {basic, get("/orders/7", basicField, basicField), 400, gate.ReasonDuplicate, ""},
		"basic and form":        {basic, form(get("/orders/7", basicField)), 400, gate.ReasonMixed, ""},
		"key and form":          {key, form(keyed("/orders/7", "key")), 400, gate.ReasonMixed, ""},
		"basic, then the other": {basic, get("/orders/7", basicField+", Bearer "+raw), 401, "wrong_secret", gate.BridgeBasic},
	} {
		got := bridged(f, test.direct).Check(t.Context(), test.request)
		status := 0
		if !got.Allowed {
			status = got.Status()
		}
		if status != test.status || got.Reason != test.reason || got.Bridge != test.kind {
			t.Errorf("%s: %d %s %q", name, status, got.Reason, got.Bridge)
		}
		if known := got.Claims != nil; known != (got.Allowed && got.Reason != gate.ReasonPublic || test.kind != "" && got.Reason != "wrong_secret") {
			t.Errorf("%s: claims %+v", name, got.Claims)
		}
	}
	if asked := key.asked[0]; asked.Resource != resource || asked.Kind != gate.BridgeAPIKey {
		t.Errorf("asked %+v", asked)
	}
}

// Without a bridge nothing is ever asked, whatever is brought.
func TestNoBridge(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	direct := &directly{value: basicField}
	g := f.gate(func(c *gate.Config) { c.Direct = direct })
	for _, r := range []*gate.Request{get("/", basicField), keyed("/", "key")} {
		if got := g.Check(t.Context(), r); got.Allowed || got.Status() != 401 || len(direct.asked) > 0 {
			t.Errorf("%+v", got)
		}
	}
	got := g.Check(t.Context(), with(get("/", bearer(f.sign(f.claims()))...), "key"))
	if !got.Allowed {
		t.Errorf("a header that means nothing here: %+v", got)
	}
	if challenges := g.Challenges(&gate.Verdict{}); len(challenges) > 0 {
		t.Errorf("%v", challenges)
	}
}

// A bridge ends at its moment, and from then on it is as if there were none.
func TestBridgeEnds(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	direct := &directly{value: basicField, scope: token.Scopes{"read"}, refusal: wrongSecret}
	g := bridged(f, direct)
	f.pass(59 * time.Second)
	got := g.Check(t.Context(), get("/orders/7", basicField))
	if !got.Allowed || !got.Sunset.Equal(start.Add(time.Minute)) {
		t.Fatalf("before: %+v", got)
	}
	raw := f.sign(f.claims("read"))
	f.pass(time.Second)
	asked := len(direct.asked)
	got = g.Check(t.Context(), get("/orders/7", basicField))
	if got.Allowed || got.Status() != 401 || got.Reason != gate.ReasonBridgeEnded || got.Code() != "unauthorized" {
		t.Errorf("after: %+v", got)
	}
	if got := g.Check(t.Context(), get("/open", basicField)); !got.Allowed || got.Reason != gate.ReasonPublic {
		t.Errorf("after, open: %+v", got)
	}
	r := get("/orders/7", basicField)
	r.Form = []string{raw}
	if got := g.Check(t.Context(), r); !got.Allowed || got.Reason != gate.ReasonToken {
		t.Errorf("after, beside a token: %+v", got)
	}
	if len(direct.asked) != asked {
		t.Error("credentials were judged at a bridge that is no more")
	}
	for _, challenge := range g.Challenges(&got) {
		if strings.HasPrefix(challenge, "Basic") {
			t.Errorf("still offered: %s", challenge)
		}
	}
}

// What the client is told: the same of each wrong secret, and when to come back.
func TestBridgeAnswers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	both := []string{
		`Bearer realm="` + resource + `", resource_metadata="https://api.example/.well-known/oauth-protected-resource/v1"`,
		`Basic realm="` + resource + `", charset="UTF-8"`,
	}
	for name, test := range map[string]struct {
		refusal     gate.Refusal
		status      int
		code, text  string
		challenges  []string
		description string
	}{
		"unauthorized": {gate.Refusal{Status: 401, Reason: "unknown_client"}, 401, "invalid_client", "client authentication failed", both, ""},
		"too many":     {gate.Refusal{Status: 429, RetryAfter: time.Minute}, 429, "temporarily_unavailable", "too many failed client authentications, try again later", nil, ""},
		"busy":         {gate.Refusal{Status: 503}, 503, "temporarily_unavailable", "the server cannot answer now, try again", nil, ""},
		"resource":     {gate.Refusal{Status: 403, Reason: "resource"}, 403, "access_denied", "the client may not use this resource", nil, ""},
		"anything":     {gate.Refusal{}, 503, "temporarily_unavailable", "the server cannot answer now, try again", nil, ""},
	} {
		g := bridged(f, &directly{refusal: &test.refusal})
		got := g.Check(t.Context(), get("/orders/7", basicField))
		if got.Allowed || got.Status() != test.status || got.Code() != test.code || got.Description() != test.text || got.RetryAfter != test.refusal.RetryAfter {
			t.Errorf("%s: %d %s %q %s", name, got.Status(), got.Code(), got.Description(), got.RetryAfter)
		}
		if challenges := g.Challenges(&got); !slices.Equal(challenges, test.challenges) {
			t.Errorf("%s: %q", name, challenges)
		}
	}
	// Neither claims nor a refusal: nobody was let in.
	if got := bridged(f, &directly{}).Check(t.Context(), get("/orders/7", basicField)); got.Allowed || got.Status() != 503 {
		t.Errorf("%+v", got)
	}
	nothing := bridged(f, &directly{}).Check(t.Context(), get("/orders/7"))
	if challenges := bridged(f, &directly{}).Challenges(&nothing); len(challenges) != 3 || challenges[2] != both[1] {
		t.Errorf("%q", challenges)
	}
}

func TestBridgeHoldsToAllowClients(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	direct := &directly{value: basicField, scope: token.Scopes{"read"}}
	for _, allowed := range []string{"legacy", "other"} {
		g := bridged(f, direct, func(c *gate.Config) { c.AllowClients = []string{allowed} })
		if got := g.Check(t.Context(), get("/orders/7", basicField)); got.Allowed != (allowed == "legacy") {
			t.Errorf("%s: %+v", allowed, got)
		}
	}
}

func TestBridgesThatAreWrong(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	foreign := gate.NewTrusted("https://other.example", token.Foreign{}, nil)
	for name, change := range map[string]func(*gate.Config){
		"kind":       func(c *gate.Config) { c.Bridges = []gate.Bridge{{Kind: "cookie"}} },
		"no kind":    func(c *gate.Config) { c.Bridges = []gate.Bridge{{}} },
		"twice":      func(c *gate.Config) { c.Bridges = []gate.Bridge{{Kind: gate.BridgeBasic}, {Kind: gate.BridgeBasic}} },
		"nobody":     func(c *gate.Config) { c.Direct = nil },
		"not of own": func(c *gate.Config) { c.Issuers = []gate.Issuer{foreign} },
	} {
		config := f.config
		config.Direct, config.Bridges = &directly{}, []gate.Bridge{{Kind: gate.BridgeBasic}}
		change(&config)
		if _, err := gate.New(config); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
