package caddymodule

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// A gate that only reports judges as ever, logs and counts, and refuses
// nothing; what it tells the API is what it has verified (contract section 5).
func TestReportOnly(t *testing.T) {
	f := newFixture(t, func(c *gate.Config) {
		c.Rules = []gate.Rule{{Methods: []string{"GET"}, Pattern: "/orders", Scopes: token.Scopes{"write"}}}
	})
	f.ReportOnly = true
	for name, c := range map[string]struct {
		target, raw string
		reason      gate.Reason
		client      string
	}{
		"no token":        {"/orders", "", gate.ReasonNoToken, ""},
		"no token at all": {"/orders", "x", gate.Reason(token.CheckFormat), ""},
		"scope missing":   {"/orders", f.token("read"), gate.ReasonScope, "batch"},
		"no rule":         {"/other", f.token("write"), gate.ReasonNoRule, "batch"},
		"ambiguous path":  {"/a//b", f.token("write"), gate.ReasonPath, ""},
	} {
		f.log.TakeAll()
		counted := testutil.ToFloat64(metrics.reported.WithLabelValues(string(c.reason)))
		refused := testutil.ToFloat64(metrics.denied.WithLabelValues(string(c.reason)))
		r := prepared(t.Context(), http.MethodGet, c.target, c.raw)
		r.Header.Set("X-Client-Id", "admin")
		r.Header["x_client_scope"] = []string{"root"}
		w := f.serve(r)
		if f.seen == nil || w.Code != 200 || w.Header().Get("WWW-Authenticate") != "" {
			t.Fatalf("%s: %d %v", name, w.Code, w.Header())
		}
		_, spoofed := f.seen.Header[strings.ToLower("X_Client_Scope")]
		if got := f.seen.Header.Get("X-Client-Id"); got != c.client || spoofed || f.seen.Header.Get("Authorization") != "" {
			t.Errorf("%s: the API is told %v", name, f.seen.Header)
		}
		lines := f.log.FilterMessage("request would be refused").All()
		if len(lines) != 1 || lines[0].ContextMap()["reason"] != string(c.reason) {
			t.Errorf("%s: logged %v", name, f.log.All())
		}
		if testutil.ToFloat64(metrics.reported.WithLabelValues(string(c.reason))) != counted+1 || testutil.ToFloat64(metrics.denied.WithLabelValues(string(c.reason))) != refused {
			t.Errorf("%s: not counted as reported", name)
		}
	}
	f.log.TakeAll()
	if w := f.serve(prepared(t.Context(), http.MethodGet, "/orders", f.token("write"))); w.Code != 200 || f.log.Len() != 0 {
		t.Errorf("a good request: %d, logged %v", w.Code, f.log.All())
	}
}
