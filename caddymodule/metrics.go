package caddymodule

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// The collectors live as long as the process: Caddy makes a registry for each
// configuration, and counts must not begin again with every reload.
var metrics = newCollectors()

type collectors struct {
	issued        *prometheus.CounterVec
	introspected  *prometheus.CounterVec
	revoked       *prometheus.CounterVec
	refused       *prometheus.CounterVec
	tokenSeconds  *prometheus.HistogramVec
	passed        *prometheus.CounterVec
	denied        *prometheus.CounterVec
	reported      *prometheus.CounterVec
	bridged       *prometheus.CounterVec
	verdictSecond prometheus.Histogram
	held          prometheus.Counter
	fileReloads   *prometheus.CounterVec
	upkeepFailed  prometheus.Counter

	passedByToken prometheus.Counter // the one of passed that counts most requests
}

// What all names begin with.
const metricsNamespace, metricsSubsystem = "caddy", "oauth2"

func newCollectors() *collectors {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: metricsNamespace, Subsystem: metricsSubsystem, Name: name, Help: help,
		}, labels)
	}
	c := &collectors{
		issued: counter("tokens_issued_total",
			"Access tokens issued, by client authentication method.", "method"),
		refused: counter("tokens_refused_total",
			"Token requests refused, by error code and reason.", "error", "reason"),
		introspected: counter("introspections_total",
			"Requests at the introspection endpoint, by outcome: active, inactive or the error code.", "outcome"),
		revoked: counter("revocations_total",
			"Requests at the revocation endpoint, by outcome: done or the error code.", "outcome"),
		passed: counter("requests_passed_total",
			"Requests that a gate passed on, by reason.", "reason"),
		denied: counter("requests_refused_total",
			"Requests that a gate refused, by reason.", "reason"),
		reported: counter("requests_reported_total",
			"Requests that a gate with report_only passed on and would have refused, by reason.", "reason"),
		bridged: counter("bridged_total",
			"Requests that came with a secret in place of a token, by kind of bridge and outcome: passed, refused, or reported where report_only stands.",
			"kind", "outcome"),
		held: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: metricsNamespace, Subsystem: metricsSubsystem, Name: "requests_held_total",
			Help: "Requests that a gate held up for a moment, since it was flooded.",
		}),
		fileReloads: counter("file_reloads_total",
			"Changed files that the configuration names and that were read again, by outcome: used or failed.", "outcome"),
		upkeepFailed: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: metricsNamespace, Subsystem: metricsSubsystem, Name: "upkeep_failures_total",
			Help: "Times that what is stored could not be read or brought up to date in the background.",
		}),
		tokenSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: metricsNamespace, Subsystem: metricsSubsystem, Name: "token_duration_seconds",
			Help:    "Time to answer a token request, by outcome.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 4, 10),
		}, []string{"outcome"}),
		verdictSecond: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: metricsNamespace, Subsystem: metricsSubsystem, Name: "verdict_duration_seconds",
			Help:    "Time that a gate takes to judge a request.",
			Buckets: prometheus.ExponentialBuckets(1e-6, 4, 10),
		}),
	}
	c.passedByToken = c.passed.WithLabelValues(string(gate.ReasonToken))
	return c
}

func (c *collectors) all() []prometheus.Collector {
	return []prometheus.Collector{
		c.issued, c.refused, c.tokenSeconds, c.introspected, c.revoked,
		c.passed, c.denied, c.reported, c.bridged, c.held, c.verdictSecond, c.fileReloads, c.upkeepFailed,
	}
}

// register makes the collectors show in the registry of a configuration.
func (c *collectors) register(registry *prometheus.Registry) error {
	for _, collector := range c.all() {
		var already prometheus.AlreadyRegisteredError
		if err := registry.Register(collector); err != nil && !errors.As(err, &already) {
			return err
		}
	}
	return nil
}

// outcomeOf is in a word what became of a request at an endpoint, or the code of
// the error.
func outcomeOf(event *issuer.Event) string {
	switch {
	case event.Err != nil:
		return string(event.Err.Code)
	case event.Active:
		return "active"
	case event.Endpoint == issuer.IntrospectionEndpoint:
		return "inactive"
	}
	return "done"
}

// verdictOutcome is in a word what became of a request at a gate.
func verdictOutcome(verdict *gate.Verdict, reportOnly bool) string {
	switch {
	case verdict.Allowed:
		return "passed"
	case reportOnly:
		return "reported"
	}
	return "refused"
}

func (c *collectors) answered(event *issuer.Event) {
	switch event.Endpoint {
	case issuer.TokenEndpoint:
		c.token(event)
	case issuer.IntrospectionEndpoint:
		c.introspected.WithLabelValues(outcomeOf(event)).Inc()
	case issuer.RevocationEndpoint:
		c.revoked.WithLabelValues(outcomeOf(event)).Inc()
	}
}

func (c *collectors) token(event *issuer.Event) {
	outcome := "issued"
	if event.Err != nil {
		outcome = "refused"
		c.refused.WithLabelValues(string(event.Err.Code), event.Err.Reason).Inc()
	} else {
		c.issued.WithLabelValues(string(event.Method)).Inc()
	}
	c.tokenSeconds.WithLabelValues(outcome).Observe(event.Duration.Seconds())
}

func (c *collectors) verdict(verdict *gate.Verdict, reportOnly bool, seconds float64) {
	c.verdictSecond.Observe(seconds)
	if verdict.Allowed && verdict.Reason == gate.ReasonToken {
		c.passedByToken.Inc()
		return
	}
	vec := c.denied
	switch {
	case verdict.Allowed:
		vec = c.passed
	case reportOnly:
		vec = c.reported
	}
	if verdict.Bridge != "" {
		c.bridged.WithLabelValues(string(verdict.Bridge), verdictOutcome(verdict, reportOnly)).Inc()
	}
	vec.WithLabelValues(string(verdict.Reason)).Inc()
}
