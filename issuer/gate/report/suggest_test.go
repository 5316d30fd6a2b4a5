package report

import (
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// suggested are rows, and what is suggested for them.
func suggested() []struct {
	name, want string
	entries    []Entry
} {
	stranger := byStranger("192.0.2.7", "curl/8", "/health")
	uncovered := stranger
	uncovered.Uncovered = true
	ruled := stranger
	ruled.Rule, ruled.Needs = "/{page}", []token.Scopes{{"a", "b"}, {"c"}}
	lacking := func(id, issuer string, scope token.Scopes, needs ...token.Scopes) Entry {
		entry := byClient(id, "/orders/17")
		entry.Uncovered, entry.Reason, entry.Rule, entry.Method = false, gate.ReasonScope, "/orders/{id}", "POST"
		entry.Issuer, entry.Scope, entry.Needs = issuer, scope, needs
		return entry
	}
	barred := func(id, issuer string) Entry {
		entry := byClient(id, "/a")
		entry.Uncovered, entry.Reason, entry.Issuer = false, gate.ReasonClient, issuer
		return entry
	}
	needing := func(id, method, path string, scope ...string) Entry {
		entry := byClient(id, path)
		entry.Method, entry.Scope = method, scope
		return entry
	}
	bad := stranger
	bad.ClientID, bad.Reason = "batch", gate.Reason(token.CheckExpired)
	const idp = "https://idp.example"
	return []struct {
		name, want string
		entries    []Entry
	}{
		{"nothing", "", nil},
		{"scopes", `
# In the global option oauth2, within ` + "`client batch`" + `:
# 2 times, last 2026-03-01T12:00:00Z: batch POST /orders/{id} (the token has: read)
scopes write
# 2 times, last 2026-03-01T12:00:00Z: batch POST /orders/{id} (the token has: read)
scopes admin
`, []Entry{
			lacking("batch", "", token.Scopes{"read"}, token.Scopes{"read", "write", "admin"}),
			lacking("batch", "", token.Scopes{"read"}, token.Scopes{"read", "write", "admin"}),
		}},
		{"the set that takes fewest", `
# In the global option oauth2, within ` + "`client \"my batch\"`" + `:
# 1 time, last 2026-03-01T12:00:00Z: my batch POST /orders/{id} (the token has: nothing)
scopes b
`, []Entry{lacking("my batch", "", nil, token.Scopes{"a", "c"}, token.Scopes{"b"}, token.Scopes{"c"})}},
		{"somebody else's client", `
# Not a matter of this configuration, or not of a line of it:
# 1 time, last 2026-03-01T12:00:00Z: app of https://idp.example POST /orders/{id} (insufficient_scope: the issuer https://idp.example must grant write)
`, []Entry{lacking("app", idp, nil, token.Scopes{"write"})}},
		{"clients", `
# In the oauth2_gate for https://orders.example:
# 1 time, last 2026-03-01T12:00:00Z: app of https://idp.example GET /a
allow_clients_of https://idp.example app
# 1 time, last 2026-03-01T12:00:00Z: batch GET /a
allow_clients batch
`, []Entry{barred("app", idp), barred("batch", "")}},
		{"rules", `
# In the oauth2_gate for https://orders.example:
# 2 times, last 2026-03-01T12:00:00Z: a POST /; b POST / (these callers have no scope in common)
require_any POST /{$} read write
# 2 times, last 2026-03-01T12:00:00Z: a GET /orders/{}; b HEAD /orders/{} (all these callers have these scopes: keep those that should be needed)
require GET /orders/{id} read
# 1 time, last 2026-03-01T12:00:00Z: a PUT /x (a caller's token has no scope: name one, and grant it)
# require PUT /x <scope>
`, []Entry{
			needing("a", "GET", "/orders/1", "read", "list"), needing("b", "HEAD", "/orders/2", "write", "read"),
			needing("a", "POST", "/", "read"), needing("b", "POST", "/", "write"), needing("a", "PUT", "/x"),
		}},
		// Opening a path to everyone is never done by pasting.
		{"no token, no rule", `
# In the oauth2_gate for https://orders.example:
# 1 time, last 2026-03-01T12:00:00Z: 192.0.2.7 "curl/8" GET /health (without a token: only where everybody may, else make the caller a client)
# public GET /health
`, []Entry{uncovered}},
		{"no token, but a rule", `
# Not a matter of this configuration, or not of a line of it:
# 1 time, last 2026-03-01T12:00:00Z: 192.0.2.7 "curl/8" GET /health (no_token: the caller sends no token; make it a client, or send it the way to the token endpoint)
`, []Entry{stranger}},
		{"no token, but a rule that needs something", `
# Not a matter of this configuration, or not of a line of it:
# 1 time, last 2026-03-01T12:00:00Z: 192.0.2.7 "curl/8" GET /{page} (no_token: the caller sends no token; make it a client, or send it the way to the token endpoint; it needs a b, or c)
`, []Entry{ruled}},
		{"a bad token", `
# Not a matter of this configuration, or not of a line of it:
# 1 time, last 2026-03-01T12:00:00Z: 192.0.2.7 "curl/8" claiming to be "batch" GET /health (expired: the caller keeps its token too long, or a clock is wrong)
`, []Entry{bad}},
		{"rules that contradict", `
# In the oauth2_gate for https://orders.example:
# 2 times, last 2026-03-01T12:00:00Z: a GET /{}/b; b GET /{}/b (all these callers have these scopes: keep those that should be needed)
require GET /{id}/b read
# 1 time, last 2026-03-01T12:00:00Z: a GET /a/{} (contradicts ` + "`GET /{id}/b`" + ` above)
# require GET /a/{id} read
# 1 time, last 2026-03-01T12:00:00Z: a #x /c (this cannot be a rule)
# require #x /c read
`, []Entry{
			needing("a", "GET", "/1/b", "read"), needing("b", "GET", "/1/b", "read"),
			needing("a", "GET", "/a/1", "read"), needing("a", "#x", "/c", "read"),
		}},
		// A comment must end where its line ends, and take in no other line.
		{"comments that would not be comments", `
# Not a matter of this configuration, or not of a line of it:
# 1 time, last 2026-03-01T12:00:00Z: 192.0.2.7 "{ $X x%5C%0A" claiming to be "{$}" GET /health (no_token: the caller sends no token; make it a client, or send it the way to the token endpoint)
`, []Entry{{
			Gate: orders, Address: "192.0.2.7", UserAgent: "{$X x\\\n", ClientID: "{$}", Method: "GET", Path: "/health",
			Reason: gate.ReasonNoToken,
		}}},
		{"a word that cannot be written", `
# In the global option oauth2, within ` + "`client batch`" + `:
# 1 time, last 2026-03-01T12:00:00Z: batch POST /orders/{id} (the token has: nothing)
# scopes {b}
`, []Entry{lacking("batch", "", nil, token.Scopes{"{b}"})}},
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	for _, c := range suggested() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, _ := newReport(0)
			add(r, c.entries...)
			rows := r.Snapshot(Filter{})
			if got := Suggest(rows, current{}); got != strings.TrimPrefix(c.want, "\n") {
				t.Errorf("got\n%s\nwant%s", got, c.want)
			}
		})
	}
}

// current is a configuration with rules at one site, and with clients and who is
// allowed by name; other clients are in the configuration, without a scope.
type current struct {
	site    string
	rules   []gate.Rule
	clients map[string]Client
	allowed map[string]bool
	needs   map[string][]token.Scopes // by method and pattern
}

func (c current) Needs(_, _, method, pattern string) ([]token.Scopes, bool) {
	sets, found := c.needs[method+" "+pattern]
	return sets, found
}

func (c current) Rules(resource, site string) []gate.Rule {
	if resource == orders && site == c.site {
		return c.rules
	}
	return nil
}

func (c current) Allows(resource, site, issuer, clientID string) bool {
	return c.allowed[resource+" "+site+" "+issuer+" "+clientID]
}

func (c current) Client(id string) Client {
	if found, ok := c.clients[id]; ok {
		return found
	}
	return Client{Place: InConfiguration}
}

// What is configured by now is not suggested, and nothing for a client that no line of
// the configuration is about.
func TestSuggestWhatIsMissingNow(t *testing.T) {
	t.Parallel()
	now := current{clients: map[string]Client{
		"granted": {InConfiguration, token.Scopes{"x", "write", "admin"}}, "half": {InConfiguration, token.Scopes{"admin"}}, "removed": {},
		"other": {AtRunTime, token.Scopes{"read"}}, "made": {AtRunTime, token.Scopes{"admin", "write"}},
	}, needs: map[string][]token.Scopes{"GET /open": nil, "GET /eased": {{"read"}}, "GET /moved": {{"read", "list"}}}, allowed: map[string]bool{
		orders + "  https://idp.example app": true, orders + " a.example  batch": true, orders + " a.example https://idp.example other": true,
	}}
	lacks := func(id, issuer string) Entry {
		entry := byClient(id, "/x")
		entry.Uncovered, entry.Reason, entry.Rule, entry.Issuer = false, gate.ReasonScope, "/x", issuer
		entry.Scope, entry.Needs = token.Scopes{"read"}, []token.Scopes{{"read", "write", "admin"}}
		return entry
	}
	under := func(entry Entry, rule string) Entry {
		entry.Rule = rule
		return entry
	}
	barred := func(site, id, issuer string) Entry {
		entry := byClient(id, "/a")
		entry.Uncovered, entry.Reason, entry.Site, entry.Issuer = false, gate.ReasonClient, site, issuer
		return entry
	}
	const once = "# 1 time, last 2026-03-01T12:00:00Z: "
	for _, c := range []struct {
		entry Entry
		want  string
	}{
		{lacks("granted", ""), "(insufficient_scope: by now the client may have all that is needed; its old tokens do not, nor does one that asks for less)\n"},
		{lacks("half", ""), once + "half GET /x (the token has: read)\nscopes write\n"},
		{lacks("new", ""), "\nscopes write\n" + once + "new GET /x (the token has: read)\nscopes admin\n"},
		{under(lacks("new", ""), "/open"), "(insufficient_scope: the last token had all that is needed by now)\n"},
		{under(lacks("new", ""), "/eased"), "(insufficient_scope: the last token had all that is needed by now)\n"},
		{under(lacks("new", ""), "/moved"), once + "new GET /moved (the token has: read)\nscopes list\n"},
		{lacks("removed", ""), "(insufficient_scope: there is no such client by now)\n"},
		{lacks("other", ""), "(insufficient_scope: the client was made at run time, and is changed there: it lacks write admin)\n"},
		{lacks("made", ""), "(insufficient_scope: by now the client may have all that is needed; its old tokens do not, nor does one that asks for less)\n"},
		{lacks("granted", "https://idp.example"), "the issuer https://idp.example must grant write admin)\n"}, // a namesake
		{barred("", "app", "https://idp.example"), "(client_not_allowed: the gate lets the client in by now)\n"},
		{barred("", "app", ""), "\nallow_clients app\n"},
		{barred("a.example", "batch", ""), "(client_not_allowed: the gate lets the client in by now)\n"},
		{barred("b.example", "batch", ""), "\nallow_clients batch\n"},
		{barred("a.example", "other", ""), "\nallow_clients other\n"},
	} {
		r, _ := newReport(0)
		add(r, c.entry)
		if got := Suggest(r.Snapshot(Filter{}), now); !strings.HasSuffix(got, c.want) {
			t.Errorf("%s of %q at %q: got\n%s\nwant\n%s", c.entry.ClientID, c.entry.Issuer, c.entry.Site, got, c.want)
		}
	}
}

// Thousands of callers of one path are one line, and twice as many paths are not
// much more than twice the work: an operator waits for the answer.
//
// Not in parallel: it counts what is allocated.
func TestSuggestForMany(t *testing.T) {
	suggest := func(count int) (got string, allocations float64) {
		r, _ := newReport(0)
		for i := range count {
			entry := byClient(name(i), "/orders")
			add(r, entry)
			entry.Path = "/" + name(i)
			add(r, entry)
		}
		rows := r.Snapshot(Filter{})
		allocations = testing.AllocsPerRun(1, func() { got = Suggest(rows, current{}) })
		return got, allocations
	}
	_, half := suggest(1000)
	got, all := suggest(2000)
	if all > 3*half {
		t.Errorf("%.0f allocations for 2000 callers, %.0f for 1000", all, half)
	}
	if strings.Count(got, "\nrequire ") != maxRules || !strings.Contains(got, "; and 1997 more (") {
		t.Errorf("got %d rules:\n%.2000s", strings.Count(got, "\nrequire "), got)
	}
}

func TestWord(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"orders:read": "orders:read", "https://idp.example/x": "https://idp.example/x", "a b": `"a b"`, "": `""`,
		"#x": `"#x"`, `say "x"`: "`say \"x\"`", `back\slash`: "`back\\slash`", "a`b": "\"a`b\"", "<<EOF": `"<<EOF"`, "*": `"*"`,
	} {
		if got, ok := word(value); got != want || !ok {
			t.Errorf("%q: got %s, %t", value, got, ok)
		}
	}
	for _, value := range []string{"{env.X}", "a}", "`\"", "`\\", "tab\t", "ü"} {
		if got, ok := word(value); ok {
			t.Errorf("%q: got %s", value, got)
		}
	}
}
