package caddymodule_test

import (
	"strings"
	"testing"
)

// Behind a gate, routes can be chosen by who calls; `not` means everybody else
// whom the gate let pass, those without a token included.
func TestMatcher(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, `oauth2_gate {
		public GET /open
		require * / read
	}
	@write oauth2 scope write
	@batch oauth2 {
		client batch other
		scope read
		issuer `+s.url+`
	}
	@nobody oauth2 client root
	@others not oauth2 scope write
	handle /write {
		respond @write "may write"
		respond @others "may not write"
	}
	handle /open {
		respond @others "may not write"
		respond "may write"
	}
	handle {
		respond @nobody "root"
		respond @batch "batch"
	}`)
	for _, c := range []struct{ path, scope, want string }{
		{"/write", "read write", "may write"}, {"/write", "read", "may not write"},
		{"/open", "", "may not write"}, {"/open", "write", "may write"}, {"/x", "read", "batch"},
	} {
		raw := ""
		if c.scope != "" {
			raw = s.token(c.scope)
		}
		if _, body := s.expect(c.path, raw, 200); body != c.want {
			t.Errorf("%s with %q: got %q", c.path, c.scope, body)
		}
	}
}

// Where no gate has judged a request, nobody is routed anywhere, under `not`
// neither: the matcher is no gate, and must not look like one.
func TestMatcherWithoutGate(t *testing.T) {
	for _, matcher := range []string{"oauth2 scope write", "not oauth2 scope write"} {
		s := newSite(t)
		s.load(batchClient, "@m "+matcher+"\nrespond @m \"matched\"")
		if _, body := s.expect("/", s.token("write"), 500); strings.Contains(body, "matched") {
			t.Errorf("%s: got %q", matcher, body)
		}
	}
}
