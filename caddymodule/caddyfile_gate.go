package caddymodule

import (
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// gateReader reads the directive of a gate.
type gateReader struct {
	gate  Gate
	marks marks
}

// parseGate reads the directive
//
//	oauth2_gate [<matcher>] [<scope>...] {
//		resource         <identifier>
//		scopes           <scope>...
//		require          <METHOD[,METHOD]|*> <pattern> <scope>...
//		require_any      <METHOD[,METHOD]|*> <pattern> <scope>...
//		public           <METHOD[,METHOD]|*> <pattern>
//		openapi          <file>
//		allow_clients    <client_id>...
//		allow_clients_of <issuer url> <client_id>...
//		issuers          self|<trusted issuer url>...
//		bearer_methods   header|body|query ...
//		bridge           basic|api_key <header> { until <date> }
//		forward_token
//		identity_headers <client> <scope> <issuer>|off
//		external_url     <url>
//		report_only
//		realm            <text>
//	}
//
// With a matcher there are two routes: the second one answers with the
// resource's metadata at site level, where clients look for it (RFC 9728
// section 3) and where the matcher will hardly match.
func parseGate(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	matcher, l, err := readDirective(h)
	if err != nil {
		return nil, err
	}
	shape := subdirective{grammar: "oauth2_gate [<matcher>] [<scope>...] { ... }", words: atLeast(0), block: true}
	if err := shape.checkLine("", l); err != nil {
		return nil, err
	}
	r := &gateReader{marks: marks{"": l.name}}
	r.marks.append("scopes", &r.gate.Scopes, l.words)
	if err := readBlock("oauth2_gate", l.block, r.subdirectives()); err != nil {
		return nil, err
	}
	app, err := optionOf(h, l)
	if err != nil {
		return nil, err
	}
	if err := (checker{adapting: true}).gate(&r.gate, app); err != nil {
		return nil, r.marks.locate(err)
	}
	routes := newRoute(h, matcher, &r.gate)
	if matcher == nil {
		return routes, nil
	}
	wellKnown := caddy.ModuleMap{"path": h.JSON(caddyhttp.MatchPath{"/.well-known/oauth-protected-resource*"})}
	return append(routes, newRoute(h, wellKnown, r.gate.metadata())...), nil
}

// metadata is a handler that answers with the metadata of the gate's resource
// and does nothing else.
func (g *Gate) metadata() *Gate {
	return &Gate{Resource: g.Resource, Issuers: g.Issuers, BearerMethods: g.BearerMethods, MetadataOnly: true}
}

func (r *gateReader) subdirectives() []subdirective {
	return []subdirective{
		{grammar: "resource <identifier>", words: exactly(1), read: r.marks.text("resource", &r.gate.Resource)},
		{
			grammar: "scopes <scope>...", words: atLeast(1), repeats: true,
			read: r.marks.list("scopes", &r.gate.Scopes),
		},
		{
			grammar: "require <METHOD[,METHOD]|*> <pattern> <scope>...", words: atLeast(3), repeats: true, pattern: true,
			read: r.rule,
		},
		{
			grammar: "require_any <METHOD[,METHOD]|*> <pattern> <scope>...", words: atLeast(3), repeats: true, pattern: true,
			read: r.rule,
		},
		{
			grammar: "public <METHOD[,METHOD]|*> <pattern>", words: exactly(2), repeats: true, pattern: true,
			read: r.rule,
		},
		{grammar: "openapi <file>", words: exactly(1), read: r.marks.text("openapi", &r.gate.OpenAPI)},
		{
			grammar: "allow_clients <client_id>...", words: atLeast(1), repeats: true,
			read: r.marks.list("allow_clients", &r.gate.AllowClients),
		},
		{
			grammar: "allow_clients_of <issuer url> <client_id>...", words: atLeast(2), repeats: true,
			read: r.clientsOf,
		},
		{
			grammar: "issuers self|<trusted issuer url>...", words: atLeast(1), repeats: true,
			read: r.marks.list("issuers", &r.gate.Issuers),
		},
		{
			grammar: "bearer_methods header|body|query ...", words: atLeast(1), repeats: true,
			read: r.marks.list("bearer_methods", &r.gate.BearerMethods),
		},
		{
			grammar: "bridge basic|api_key <header> { until <date> }", words: count{1, 2}, repeats: true, block: true,
			read: r.bridge,
		},
		{grammar: "forward_token", words: exactly(0), read: switchOn(&r.gate.ForwardToken)},
		{
			grammar: "identity_headers <client> <scope> <issuer>|off", words: count{1, 3},
			read: r.identityHeaders,
		},
		{grammar: "external_url <url>", words: exactly(1), read: r.marks.text("external_url", &r.gate.ExternalURL)},
		{grammar: "report_only", words: exactly(0), read: switchOn(&r.gate.ReportOnly)},
		{grammar: "realm <text>", words: exactly(1), read: r.marks.text("realm", &r.gate.Realm)},
	}
}

// rule reads a line of `require`, `require_any` or `public`.
func (r *gateReader) rule(l line) error {
	path := fmt.Sprintf("rules[%d]", len(r.gate.Rules))
	methods, pattern := l.words[0], l.words[1]
	r.marks[path], r.marks[path+".methods"], r.marks[path+".pattern"] = l.name, methods, pattern
	rule := Rule{Pattern: pattern.Text, Public: l.name.Text == "public", Any: l.name.Text == "require_any"}
	if methods.Text != "*" {
		rule.Methods = strings.Split(methods.Text, ",")
	}
	r.marks.append(path+".scopes", &rule.Scopes, l.words[2:])
	r.gate.Rules = append(r.gate.Rules, rule)
	return nil
}

// clientsOf reads a line of `allow_clients_of`.
func (r *gateReader) clientsOf(l line) error {
	url := l.words[0]
	path := "allow_clients_of." + url.Text
	if _, again := r.gate.AllowClientsOf[url.Text]; !again {
		r.marks[path] = url
	}
	if r.gate.AllowClientsOf == nil {
		r.gate.AllowClientsOf = make(map[string][]string)
	}
	clients := r.gate.AllowClientsOf[url.Text]
	r.marks.append(path, &clients, l.words[1:])
	r.gate.AllowClientsOf[url.Text] = clients
	return nil
}

func (r *gateReader) identityHeaders(l line) error {
	headers := &r.gate.IdentityHeaders
	if len(l.words) == 1 && l.words[0].Text == "off" {
		headers.Off = true
		return nil
	}
	if len(l.words) != 3 {
		return atToken(l.last(), fmt.Errorf(
			"oauth2_gate: identity_headers: missing word after %q: expected `identity_headers <client> <scope> <issuer>` or `identity_headers off`",
			l.last().Text))
	}
	for i, name := range []struct {
		word string
		into *string
	}{{"client", &headers.Client}, {"scope", &headers.Scope}, {"issuer", &headers.Issuer}} {
		r.marks["identity_headers."+name.word] = l.words[i]
		*name.into = l.words[i].Text
	}
	return nil
}
