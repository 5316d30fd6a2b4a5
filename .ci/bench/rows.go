package main

import "net/http"

// row is one kind of request, sent again and again.
type row struct {
	name     string
	baseline string // the row that it is compared with; empty: none
	process  string
	status   int // of every answer; 0: 200
	requests maker
	// warm is how many requests go ahead of everything and are not measured.
	warm int
	// apart: it is measured where no known token came a moment ago. A gate holds new
	// and invalid ones up beside those, which is what -flood measures.
	apart bool
	// target is the ratio of CPU that it should not exceed; 0: none.
	target float64
}

// group is what a heading of the report covers.
type group struct {
	title string
	rows  []row
}

const (
	bare     = "bare reverse_proxy"
	fuller   = "bare reverse_proxy, six more fields"
	known    = "gate, known token"
	telling  = "bare, three header_up"
	signed   = "sign and answer"
	bySecret = "token, secret"
)

// groups are all rows, in the order in which they run: a baseline stands next
// to those that are compared with it.
func groups() []group {
	return []group{
		{"Gate", gateRows()},
		{"Many tokens", manyRows()},
		{"New tokens", newRows()},
		{"Rules and trusted issuers", growthRows()},
		{"Token endpoint", tokenRows()},
		{"Certificates", certificateRows()},
		{"Clients", clientRows()},
		{"Revoked tokens", revokedRows()},
	}
}

func gateRows() []row {
	return []row{
		{name: "bare, no Authorization header", baseline: bare, process: "gate", requests: each(func(p *process, _ int) *http.Request { return get(p, "bare") })},
		// The same request as the next one: reading and passing on a header of some
		// 600 bytes is not the gate's doing.
		{name: bare, process: "gate", requests: gated("bare", 1)},
		// What the three headers cost where the client sends them.
		{name: "bare, with the identity headers", baseline: bare, process: "gate", requests: withFields(gated("bare", 1), identity)},
		{name: known, baseline: bare, process: "gate", requests: gated("gate", 1), target: 1.03},
		// A proxy that tells the upstream the same, without looking at the token.
		{name: telling, baseline: bare, process: "gate", requests: gated("bare with the same fields", 1)},
		{name: "gate, known token, beside header_up", baseline: telling, process: "gate", requests: gated("gate", 1)},
		{name: "gate, known token, identity_headers off", baseline: bare, process: "gate", requests: gated("gate without headers", 1)},
		// A request with the fields that libraries and tracing add: with more than eight
		// in all, Go's map of them has grown before the gate adds its own.
		{name: fuller, process: "gate", requests: withFields(gated("bare", 1), more)},
		{name: "gate, known token, six more fields", baseline: fuller, process: "gate", requests: withFields(gated("gate", 1), more)},
	}
}

// manyRows have a Caddy of their own: what it remembers of so many tokens takes the
// place of everything else in the core's caches.
func manyRows() []row {
	const bare, telling, process = "bare reverse_proxy beside many tokens", "bare, three header_up, beside many tokens", "many tokens"
	return []row{
		{name: bare, process: process, requests: gated("bare", 1)},
		{name: "gate, 5,000 tokens in turn", baseline: bare, process: process, requests: gated("gate", 5000), warm: 5000, target: 1.10},
		{name: telling, baseline: bare, process: process, requests: gated("bare with the same fields", 1)},
		{name: "gate, 5,000 tokens in turn, beside header_up", baseline: telling, process: process, requests: gated("gate", 5000), warm: 5000},
		{name: "gate, 5,000 tokens in turn, identity_headers off", baseline: bare, process: process, requests: gated("gate without headers", 5000), warm: 5000},
	}
}

// newRows have a Caddy of their own: what it remembers of tokens that never come again
// takes time to collect, and room that others' rows would use.
func newRows() []row {
	const bare, process = "bare reverse_proxy beside new tokens", "new tokens"
	return []row{
		{name: bare, process: process, requests: gated("bare", 1)},
		{name: "gate, every token new, made here", baseline: bare, process: process, requests: first("gate")},
		// What a signature check costs in the midst of a request, where caches are cold.
		{name: "bare, with one signature check", baseline: bare, process: process, requests: foreign("checked", true)},
		{name: "gate, every token new, made elsewhere", baseline: bare, process: process, requests: fresh("gate"), apart: true, target: 2.4},
		{name: "gate, every DPoP proof new", baseline: bare, process: process, requests: bound("gate")},
		{name: "gate, invalid signature", baseline: bare, process: process, status: http.StatusUnauthorized, requests: forged("gate"), apart: true, target: 1.65},
	}
}

func growthRows() []row {
	return []row{
		{name: "gate, 1 rule", process: "rules and issuers", requests: gated("rules 1", 1)},
		{name: "gate, 100 rules", baseline: "gate, 1 rule", process: "rules and issuers", requests: gated("rules 100", 1)},
		{name: "gate, 1,000 rules", baseline: "gate, 1 rule", process: "rules and issuers", requests: gated("rules 1000", 1), target: 1.02},
		{name: "gate, 1 trusted issuer", process: "rules and issuers", requests: foreign("issuers 1", false)},
		{name: "gate, 10 trusted issuers", baseline: "gate, 1 trusted issuer", process: "rules and issuers", requests: foreign("issuers 10", false)},
		{name: "gate, 50 trusted issuers", baseline: "gate, 1 trusted issuer", process: "rules and issuers", requests: foreign("issuers 50", false)},
		{name: "every token new, 1 trusted issuer", process: "new tokens of issuers", requests: foreign("issuers 1", true), apart: true},
		{name: "every token new, 50 trusted issuers", baseline: "every token new, 1 trusted issuer", process: "new tokens of issuers", requests: foreign("issuers 50", true), apart: true},
	}
}

func revokedRows() []row {
	const none, many = "none revoked", "1,000,000 revoked"
	return []row{
		{name: "gate, none revoked", process: none, requests: gated("gate", 1)},
		{name: "gate, 1,000,000 revoked", baseline: "gate, none revoked", process: many, requests: gated("gate", 1), target: 1.02},
		{name: "every token new, none revoked", process: none, requests: fresh("gate"), apart: true},
		{name: "every token new, 1,000,000 revoked", baseline: "every token new, none revoked", process: many, requests: fresh("gate"), apart: true, target: 1.02},
	}
}

func tokenRows() []row {
	const verified, proven, rsa = "sign, verify and answer", "sign, verify a proof and answer", "sign RS256 and answer"
	return []row{
		{name: signed, process: "main", requests: secretOf("sign", "bench")},
		{name: bySecret, baseline: signed, process: "main", requests: secretOf("issuer", "bench"), target: 1.25},
		{name: "token, secret in the body", baseline: signed, process: "main", requests: secretInBody("issuer", "bench"), target: 1.25},
		{name: "token, argon2id secret that is known", baseline: bySecret, process: "main", requests: secretOf("issuer", "argon"), target: 1.05},
		{name: verified, process: "main", requests: asserted("verify")},
		{name: "token, private_key_jwt", baseline: verified, process: "main", requests: asserted("issuer"), target: 1.25},
		{name: proven, process: "main", requests: proved("verify")},
		{name: "token, secret and DPoP", baseline: proven, process: "main", requests: proved("issuer"), target: 1.3},
		{name: rsa, process: "main", requests: secretOf("sign RS256", "bench")},
		{name: "token, secret, RS256", baseline: rsa, process: "RS256", requests: secretOf("issuer", "bench"), target: 1.33},
	}
}

// certificateRows are over TLS, with connections that stay open: shaking hands does
// not count.
func certificateRows() []row {
	const bare, signed, process = "bare reverse_proxy, TLS", "sign and answer, TLS", "certificates"
	return []row{
		{name: bare, process: process, requests: gated("bare over TLS", 1)},
		{name: "gate, known token, TLS", baseline: bare, process: process, requests: gated("gate over TLS", 1)},
		{name: "gate, token bound to a certificate", baseline: bare, process: process, requests: certified("gate over TLS")},
		{name: signed, process: process, requests: certificateOf("sign over TLS", "ca")},
		{name: "token, tls_client_auth", baseline: signed, process: process, requests: certificateOf("issuer over TLS", "ca"), target: 1.25},
		{name: "token, self_signed_tls_client_auth", baseline: signed, process: process, requests: certificateOf("issuer over TLS", "own"), target: 1.25},
	}
}

func clientRows() []row {
	return []row{
		{name: "token, 10 clients", process: "main", requests: secretOf("issuer", "bench")},
		{name: "token, 1,000 clients", baseline: "token, 10 clients", process: "1,000 clients", requests: secretOf("issuer", "bench")},
		{name: "token, 100,000 clients", baseline: "token, 10 clients", process: "100,000 clients", requests: secretOf("issuer", "bench"), target: 1.03},
		{
			name: "token, 100,000 clients made at run time", baseline: "token, 10 clients", process: "100,000 run-time clients",
			requests: secretOf("issuer", "made-0"), target: 1.03,
		},
		{name: "gate, 10 clients", process: "none revoked", requests: gated("gate", 1)},
		{name: "gate, 100,000 clients", baseline: "gate, 10 clients", process: "100,000 clients", requests: gated("gate", 1), target: 1.03},
	}
}
