package caddymodule

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// traced runs something within a span, and returns the span's attributes in order.
func traced(t *testing.T, sampler sdktrace.Sampler, within func(context.Context)) (attributes []attribute.KeyValue, text string) {
	t.Helper()
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter), sdktrace.WithSampler(sampler))
	ctx, span := provider.Tracer("test").Start(t.Context(), "request")
	within(ctx)
	span.End()
	for _, ended := range exporter.GetSpans() {
		attributes = append(attributes, ended.Attributes...)
	}
	var words []string
	for _, one := range attributes {
		words = append(words, strings.TrimPrefix(string(one.Key), "oauth2.")+"="+one.Value.String())
	}
	slices.Sort(words)
	return attributes, strings.Join(words, " ")
}

// A trace tells what a gate decided, of whom and why, and never holds a token.
func TestTraceOfVerdicts(t *testing.T) {
	t.Parallel()
	rules := func(config *gate.Config) {
		config.Rules = []gate.Rule{{Pattern: "/orders", Scopes: []string{"read"}}, {Pattern: "/open", Public: true}}
	}
	for name, c := range map[string]struct {
		path, scope, want string
		reportOnly        bool
	}{
		"passed":   {"/orders", "read", `client_id=batch jti=the-jti-of-the-token reason=token resource=https://api.example result=passed`, false},
		"public":   {"/open", "", `reason=public resource=https://api.example result=passed`, false},
		"no token": {"/orders", "", `error=unauthorized error_id=the-id reason=no_token resource=https://api.example result=refused`, false},
		"scope": {"/orders", "write", `client_id=batch error=insufficient_scope error_id=the-id` +
			` jti=the-jti-of-the-token reason=insufficient_scope resource=https://api.example result=refused`, false},
		"reported": {"/none", "", `error=unauthorized error_id=the-id reason=no_token resource=https://api.example result=reported`, true},
	} {
		f := newFixture(t, rules)
		f.ReportOnly = c.reportOnly
		raw := ""
		if c.scope != "" {
			raw = f.token(c.scope)
		}
		_, text := traced(t, sdktrace.AlwaysSample(), func(ctx context.Context) {
			r := prepared(ctx, http.MethodGet, c.path, raw)
			r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer).Set("http.request.uuid", "the-id")
			f.serve(r)
		})
		if text != c.want {
			t.Errorf("%s: got %s\nwant %s", name, text, c.want)
		}
		if raw != "" && strings.Contains(text, raw[len(raw)-20:]) {
			t.Errorf("%s: the token is in %s", name, text)
		}
	}
}

func TestTraceOfAnswers(t *testing.T) {
	t.Parallel()
	for want, event := range map[string]*issuer.Event{
		"client_id=batch endpoint=token jti=the-jti method=client_secret_basic result=done": {
			Endpoint: issuer.TokenEndpoint, ClientID: "batch", Method: client.SecretBasic, TokenID: "the-jti",
		},
		"client_id=(withheld) endpoint=token error=invalid_client method=client_secret_post reason=unknown_client result=invalid_client": {
			Endpoint: issuer.TokenEndpoint, ClientID: client.WithheldID, Method: client.SecretPost,
			Err: &issuer.Error{Code: issuer.InvalidClient, Reason: "unknown_client"},
		},
		"client_id=batch endpoint=introspection jti=the-jti method= result=active": {
			Endpoint: issuer.IntrospectionEndpoint, ClientID: "batch", TokenID: "the-jti", Active: true,
		},
		"client_id=batch endpoint=introspection method= result=inactive": {Endpoint: issuer.IntrospectionEndpoint, ClientID: "batch"},
		"": {Endpoint: issuer.BridgeEndpoint, ClientID: "batch"},
	} {
		if _, text := traced(t, sdktrace.AlwaysSample(), func(ctx context.Context) { traceAnswer(ctx, event) }); text != want {
			t.Errorf("got %s\nwant %s", text, want)
		}
	}
}

// Where nobody records, nothing is made: most requests of most installations.
func TestNoTraceCostsNothing(t *testing.T) {
	g, verdict := &Gate{Resource: fixtureURL}, &gate.Verdict{Reason: gate.ReasonNoToken}
	event := &issuer.Event{Endpoint: issuer.TokenEndpoint}
	ctx := context.Background()
	if allocations := testing.AllocsPerRun(100, func() {
		traceVerdict(ctx, g, verdict, "an id")
		traceAnswer(ctx, event)
	}); allocations != 0 {
		t.Errorf("%v allocations without a span", allocations)
	}
	if _, text := traced(t, sdktrace.NeverSample(), func(ctx context.Context) { traceVerdict(ctx, g, verdict, "an id") }); text != "" {
		t.Errorf("not sampled: %s", text)
	}
}

// The page has each attribute.
func TestTracingPage(t *testing.T) {
	t.Parallel()
	page := readPage(t, "tracing.md")
	row := regexp.MustCompile("(?m)^\\| `(oauth2\\.\\w+)` \\|")
	var documented, known []string
	for _, found := range row.FindAllStringSubmatch(page, -1) {
		documented = append(documented, found[1])
	}
	for _, key := range []attribute.Key{
		traceEndpoint, traceResult, traceReason, traceError, traceErrorID, traceClientID, traceMethod, traceResource, traceJTI,
	} {
		known = append(known, string(key))
	}
	slices.Sort(documented)
	slices.Sort(known)
	if fmt.Sprint(documented) != fmt.Sprint(known) {
		t.Errorf("documented are %v, there are %v", documented, known)
	}
}
