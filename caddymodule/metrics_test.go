package caddymodule_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddyserver/caddy/v2"
)

// families are all values of the running configuration's registry, by name and
// labels.
func families(t *testing.T) map[string]float64 {
	t.Helper()
	ctx := caddy.ActiveContext()
	var gatherer prometheus.Gatherer = ctx.GetMetricsRegistry()
	gathered, err := gatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, family := range gathered {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				name += " " + label.GetName() + "=" + label.GetValue()
			}
			values[name] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue() // it is one of them
			if histogram := metric.GetHistogram(); histogram != nil {
				values[name+" count"], values[name+" sum"] = float64(histogram.GetSampleCount()), histogram.GetSampleSum()
			}
		}
	}
	return values
}

// Every verdict is counted under its reason and nowhere else, and takes time.
func TestMetricsByReason(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, `oauth2_gate {
		require GET /orders read
		require POST /orders write
		public GET /open
	}`)
	read := s.token("read")
	const passed, refused = "caddy_oauth2_requests_passed_total reason=", "caddy_oauth2_requests_refused_total reason="
	for _, c := range []struct {
		method, path, token, counter string
		status                       int
	}{
		{"GET", "/orders", read, passed + "token", 200},
		{"GET", "/open", "", passed + "public", 200},
		{"GET", "/orders", "", refused + "no_token", 401},
		{"GET", "/orders", "x", refused + "malformed", 401},
		{"POST", "/orders", read, refused + "insufficient_scope", 403},
		{"GET", "/none", read, refused + "no_rule", 403},
		{"GET", "//orders", read, refused + "ambiguous_path", 400},
	} {
		before := families(t)
		if status, body := s.request(c.method, c.path, c.token); status != c.status {
			t.Fatalf("%s %s: %d %s", c.method, c.path, status, body)
		}
		const verdicts = "caddy_oauth2_verdict_duration_seconds"
		after := families(t)
		for name, value := range after {
			grown := value - before[name]
			switch name {
			case c.counter, verdicts + " count":
				if grown != 1 {
					t.Errorf("%s %s: %s grew by %v", c.method, c.path, name, grown)
				}
			case verdicts + " sum":
				if grown <= 0 || grown > 60 {
					t.Errorf("%s %s: took %v s", c.method, c.path, grown)
				}
			default:
				if isOurs(name) && grown != 0 {
					t.Errorf("%s %s: %s grew too", c.method, c.path, name)
				}
			}
		}
	}
}

func isOurs(name string) bool { return strings.HasPrefix(name, "caddy_oauth2_") }

// Token requests are counted by outcome, and their time is taken.
func TestMetricsOfTokenRequests(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, "oauth2_gate read")
	before := families(t)
	s.token("read")
	s.post("/oauth2/token", "grant_type=password")
	after := families(t)
	for name, least := range map[string]float64{
		"caddy_oauth2_tokens_issued_total method=client_secret_basic": 1,
		"caddy_oauth2_token_duration_seconds outcome=issued count":    1,
		"caddy_oauth2_token_duration_seconds outcome=issued sum":      1e-9,
		"caddy_oauth2_token_duration_seconds outcome=refused count":   1,
		"caddy_oauth2_token_duration_seconds outcome=refused sum":     1e-9,
	} {
		if grown := after[name] - before[name]; grown < least {
			t.Errorf("%s grew by %v", name, grown)
		}
	}
}

// Counts survive reloads: they are the process's, in each configuration's registry.
func TestMetricsSurviveReloads(t *testing.T) {
	const passed = "caddy_oauth2_requests_passed_total reason=token"
	s := newSite(t)
	s.load(batchClient, "oauth2_gate read")
	s.expect("/", s.token("read"), 200)
	before := families(t)[passed]
	s.load(batchClient+"\n token_lifetime 5m", "oauth2_gate read")
	s.expect("/", s.token("read"), 200)
	if after := families(t)[passed]; after != before+1 || before == 0 {
		t.Fatalf("%v, then %v", before, after)
	}
}
