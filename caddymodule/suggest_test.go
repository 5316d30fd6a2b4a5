package caddymodule_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/report"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// What the report suggests is pasted into a Caddyfile: it must be one.
func TestSuggestionsAdapt(t *testing.T) {
	t.Parallel()
	counted := report.New(report.Config{})
	add := func(entry report.Entry) {
		entry.Gate = "https://api.example"
		counted.Add(&entry)
	}
	clients := []string{"batch", "a b", "#x", `say "x"`, `back\slash`, "tick`", "import", "*", "<<EOF", "{", "end}"}
	for i, id := range clients {
		client := report.Entry{
			ClientID: id, Verified: true, Method: "GET", Path: "/x", Rule: "/x",
			Needs: []token.Scopes{{"admin", "x#y", "'", "*"}}, Scope: token.Scopes{"read", "import"},
		}
		client.Reason = gate.ReasonScope
		add(client)
		client.Reason = gate.ReasonClient
		add(client)
		client.Reason, client.Rule, client.Uncovered = gate.ReasonNoRule, "", true
		for _, path := range []string{
			"/", "/orders", "/orders/", "/orders/17", "/orders/17/lines/4", "/path", "/a%20b", "/a%7Bb", "/Gr%C3%BC%C3%9Fe", "/$&'()+,=:",
			"/a%22%60", "/%23x", "/a*", "/a/b/c/d/e/f/g/h/i", "/17/orders", fmt.Sprintf("/only/%c", 'a'+i),
		} {
			client.Path = path
			for _, method := range []string{"GET", "HEAD", "POST", "#GET", "get", "PROPFIND", ""} {
				client.Method = method
				add(client)
			}
		}
	}
	add(report.Entry{ClientID: "foreign #1", Issuer: "https://idp.example", Verified: true, Method: "GET", Path: "/x", Reason: gate.ReasonClient})
	for i, scope := range []string{"read", "#write"} {
		add(report.Entry{
			ClientID: clients[i], Verified: true, Method: "GET", Path: "/any/7", Uncovered: true, Reason: gate.ReasonNoRule,
			Scope: token.Scopes{scope},
		})
	}
	config := caddyfileOf(report.Suggest(counted.Snapshot(report.Filter{}), asBefore{}))
	adapted, err := adapt(config)
	if err != nil {
		t.Fatalf("%v in\n%s", err, config)
	}
	for _, want := range []string{
		`"id":"batch","scopes":["read","admin","x#y","'","*"]`,
		`"id":"say \"x\"","scopes":["read","admin"`,
		`"id":"back\\slash","scopes":["read","admin"`,
		`"methods":["GET"],"pattern":"/orders/{id}","scopes":["read","import"]`,
		`"methods":["POST"],"pattern":"/{$}"`,
		`{"any":true,"methods":["GET"],"pattern":"/any/{id}","scopes":["#write","read"]}`,
		`"allow_clients_of":{"https://idp.example":["foreign #1"]}`,
		`"allow_clients":["`, `"back\\slash"`, `"#x"`, `"tick` + "`" + `"`,
	} {
		if !strings.Contains(string(adapted), want) {
			t.Errorf("no %s in %s", want, adapted)
		}
	}
}

// Nothing that strangers send changes what a Caddyfile means, not even in the
// comments.
func TestSuggestionsForStrangers(t *testing.T) {
	t.Parallel()
	client := report.Entry{
		ClientID: "batch", Verified: true, Method: "GET", Path: "/orders", Uncovered: true, Reason: gate.ReasonNoRule,
		Scope: token.Scopes{"read"},
	}
	counted := report.New(report.Config{})
	counted.Add(&client)
	want, err := adapt(caddyfileOf(report.Suggest(counted.Snapshot(report.Filter{}), asBefore{})))
	if err != nil || !strings.Contains(string(want), `"pattern":"/orders"`) {
		t.Fatalf("%s %v", want, err)
	}
	for _, text := range []string{
		"curl", "\n}\n", "\\", "x \\\n", "{$HOME", "{$X:\n}", "{$HOME}", "{$}", "{{$HOME", "{env.HOME}", "`", `"`, "<<EOF", "# x", "{", "}", "\u2028",
	} {
		counted := report.New(report.Config{})
		stranger := report.Entry{Address: "192.0.2.7", UserAgent: text, ClientID: text, Method: text, Path: "/" + text}
		for _, stranger.Reason = range []gate.Reason{gate.ReasonNoToken, gate.ReasonPath, "expired"} {
			for _, stranger.Uncovered = range []bool{false, true} {
				counted.Add(&stranger)
			}
		}
		stranger.Method, stranger.Path, stranger.Reason = "GET", "/health", gate.ReasonNoToken
		counted.Add(&stranger)
		counted.Add(&client)
		config := caddyfileOf(report.Suggest(counted.Snapshot(report.Filter{}), asBefore{}))
		if got, err := adapt(config); err != nil || string(got) != string(want) {
			t.Errorf("%q: %v %s\nof %s", text, err, got, config)
		}
		// Nor may a line that somebody takes out of its comment be wrong.
		config = strings.ReplaceAll(config, "\n# public GET /health\n", "\npublic GET /health\n")
		if got, err := adapt(config); err != nil || !strings.Contains(string(got), `"pattern":"/health","public":true`) {
			t.Errorf("%q: %v in %s", text, err, config)
		}
	}
}

// caddyfileOf pastes suggestions where their headings say they belong.
func caddyfileOf(suggestions string) string {
	var option, site strings.Builder
	into, end := &site, ""
	for section := range strings.SplitSeq(suggestions, "\n\n") {
		heading, lines, _ := strings.Cut(section, "\n")
		switch name, isClient := strings.CutPrefix(heading, "# In the global option oauth2, within `client "); {
		case isClient:
			name, _, _ = strings.Cut(name, "`:")
			if strings.ContainsAny(name, "{}") {
				continue // no client_id that a Caddyfile can have
			}
			into, end = &option, "\n}"
			lines = "client " + name + " {\nscopes read\n" + lines
		case strings.HasPrefix(heading, "# In the oauth2_gate "):
			into, end = &site, ""
		}
		into.WriteString(lines + end + "\n")
	}
	return "{\noauth2 {\nissuer https://api.example\ntrusted_issuer https://idp.example\n" + option.String() + "}\n}\nhttps://api.example {\noauth2_gate {\nissuers self https://idp.example\n" + site.String() + "}\nrespond ok\n}\n"
}

// asBefore is a configuration in which nothing was added yet.
type asBefore struct{}

func (asBefore) Rules(string, string) []gate.Rule           { return nil }
func (asBefore) Allows(string, string, string, string) bool { return false }
func (asBefore) Needs(string, string, string, string) ([]token.Scopes, bool) {
	return nil, false
}
func (asBefore) Client(string) report.Client { return report.Client{Place: report.InConfiguration} }
