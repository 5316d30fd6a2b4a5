package caddymodule

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// Where Caddy's directive `tracing` stands, a request has a span: what was decided
// goes there as attributes, which docs/tracing.md has. Never a token or a secret. Without a
// span that is recorded, this costs one look into the context.
const (
	traceEndpoint = attribute.Key("oauth2.endpoint")
	traceResult   = attribute.Key("oauth2.result")
	traceReason   = attribute.Key("oauth2.reason")
	traceError    = attribute.Key("oauth2.error")
	traceErrorID  = attribute.Key("oauth2.error_id")
	traceClientID = attribute.Key("oauth2.client_id")
	traceMethod   = attribute.Key("oauth2.method")
	traceResource = attribute.Key("oauth2.resource")
	traceJTI      = attribute.Key("oauth2.jti")
)

// recordingSpan is the request's span, or nil.
func recordingSpan(ctx context.Context) trace.Span {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		return span
	}
	return nil
}

// traceAnswer tells what an endpoint answered.
func traceAnswer(ctx context.Context, event *issuer.Event) {
	span := recordingSpan(ctx)
	if span == nil || event.Endpoint == issuer.BridgeEndpoint { // what becomes of that, the gate tells
		return
	}
	attributes := []attribute.KeyValue{
		traceEndpoint.String(string(event.Endpoint)),
		traceResult.String(outcomeOf(event)),
		traceClientID.String(event.ClientID),
		traceMethod.String(string(event.Method)),
	}
	if event.Err != nil {
		attributes = append(attributes, traceError.String(string(event.Err.Code)), traceReason.String(event.Err.Reason))
	}
	if event.TokenID != "" {
		attributes = append(attributes, traceJTI.String(event.TokenID))
	}
	span.SetAttributes(attributes...)
}

// traceVerdict tells what a gate thinks of a request; of several gates, the last
// one counts. id is what the answer and the log call a refusal.
func traceVerdict(ctx context.Context, g *Gate, verdict *gate.Verdict, id string) {
	span := recordingSpan(ctx)
	if span == nil {
		return
	}
	attributes := []attribute.KeyValue{
		traceResult.String(verdictOutcome(verdict, g.ReportOnly)),
		traceReason.String(string(verdict.Reason)),
		traceResource.String(g.Resource),
	}
	claims := verdict.Claims
	if !verdict.Allowed {
		attributes = append(attributes, traceError.String(verdict.Code()), traceErrorID.String(id))
		claims = verdict.Signed
	}
	if claims != nil {
		attributes = append(attributes, traceClientID.String(claims.ClientID), traceJTI.String(claims.ID))
	}
	span.SetAttributes(attributes...)
}
