package caddymodule

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// An operator must be able to tell from one line why a request did not pass,
// and nobody must be able to read a token there.
func TestAuditOfRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(config *gate.Config) {
		config.Scopes, config.AllowClients = token.Scopes{"api"}, []string{"batch"}
		config.Rules = []gate.Rule{
			{Methods: []string{"GET", "POST"}, Pattern: "/orders/{id}", Scopes: token.Scopes{"read"}},
			{Pattern: "/open", Public: true},
		}
	})
	raw := f.token("api", "other")
	type fields = map[string]any
	caller := fields{"client_id": "batch", "scope": "[api other]", "jti": "the-jti-of-the-token"}
	noRule := merged(caller, fields{"reason": "no_rule", "error": "access_denied", "status": "403"})
	for name, c := range map[string]struct {
		method, path, raw string
		want              fields // besides those that every line has
	}{
		"no token":  {"GET", "/orders/1", "", fields{"reason": "no_token", "error": "unauthorized", "status": "401", "rule": "GET,POST /orders/{id}"}},
		"malformed": {"PUT", "/orders/1", raw + "x", fields{"reason": "malformed", "error": "invalid_token", "status": "401"}},
		"forged": {
			"GET", "/orders/1", raw[:len(raw)-10] + "AAAA" + raw[len(raw)-6:],
			fields{"reason": "signature", "error": "invalid_token", "status": "401", "rule": "GET,POST /orders/{id}"},
		},
		"public":    {"GET", "/open", "x", fields{"reason": "malformed", "error": "invalid_token", "status": "401", "rule": "* /open"}},
		"ambiguous": {"GET", "/orders//1", raw, fields{"reason": "ambiguous_path", "error": "invalid_request", "status": "400"}},
		"scope": {"POST", "/orders/1", raw, merged(caller, fields{
			"reason": "insufficient_scope", "error": "insufficient_scope", "status": "403",
			"rule": "GET,POST /orders/{id}", "needed_scope": "[api read]",
		})},
		"no rule":      {"GET", "/none", raw, noRule},
		"longest path": {"GET", "/" + strings.Repeat("a", 511), raw, noRule},
		"long path":    {"GET", "/" + strings.Repeat("a", 512), raw, merged(noRule, fields{"path": "/" + strings.Repeat("a", 511) + "..."})},
	} {
		r := prepared(t.Context(), c.method, c.path, c.raw)
		r.Host = "api.example:8443"
		f.serve(r)
		got := f.refusal()
		want := merged(fields{
			"resource": fixtureURL, "address": "192.0.2.7", "host": "api.example:8443", "request_method": c.method, "path": c.path,
		}, c.want)
		for _, field := range []string{
			"reason", "error", "status", "resource", "address", "host", "request_method", "path",
			"rule", "needed_scope", "client_id", "scope", "jti",
		} {
			value, found := got[field]
			if expected, needed := want[field]; found != needed || needed && fmt.Sprint(value) != fmt.Sprint(expected) {
				t.Errorf("%s: %s is %v, expected %v", name, field, value, expected)
			}
		}
		if text, err := json.Marshal(got); err != nil || strings.Contains(string(text), raw[len(raw)-20:]) {
			t.Errorf("%s: %s %v", name, text, err)
		}
	}
}

// merged is one map of all; later ones win.
func merged(all ...map[string]any) map[string]any {
	one := make(map[string]any)
	for _, fields := range all {
		maps.Copy(one, fields)
	}
	return one
}

// A client that may not use the gate is named, for the operator may want to let it.
func TestAuditOfClients(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(config *gate.Config) { config.AllowClients = []string{"other"} })
	f.serve(prepared(t.Context(), http.MethodGet, "/", f.token("read")))
	if got := f.refusal(); got["reason"] != "client_not_allowed" || got["client_id"] != "batch" || got["status"] != int64(403) {
		t.Errorf("got %v", got)
	}
}

// Of a genuine token that is refused the log says whose it is, and of a forged
// one nothing: anybody can write a name.
func TestAuditOfGenuineTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	signer, err := f.ring.Signer()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	raw, err := signer.Sign(&token.Claims{
		Issuer: fixtureURL, Subject: "batch", Audience: []string{fixtureURL}, ClientID: "batch", ID: "its-jti", IssuedAt: now - 7200, Expires: now - 3600,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.serve(prepared(t.Context(), http.MethodGet, "/", raw))
	if line := f.refusal(); line["reason"] != "expired" || line["client_id"] != "batch" || line["jti"] != "its-jti" || line["issuer"] != fixtureURL {
		t.Errorf("genuine: %v", line)
	}
	f.serve(prepared(t.Context(), http.MethodGet, "/", raw[:len(raw)-10]+"AAAA"+raw[len(raw)-6:]))
	if line := f.refusal(); line["reason"] != "signature" || line["client_id"] != nil {
		t.Errorf("forged: %v", line)
	}
}
