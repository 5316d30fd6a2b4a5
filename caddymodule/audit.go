package caddymodule

import (
	"context"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// auditor writes the audit log (logger `oauth2.audit`): one line for each token
// issued, revoked or refused and each request refused, as long as nobody floods
// it. Never a secret or a token. docs/audit-log.md has each line with its fields.
type auditor struct {
	logger *zap.Logger
	flood  restraint // of refusals
}

// answered writes the line of an answer of one of the issuer's endpoints.
func (a *auditor) answered(ctx context.Context, event *issuer.Event) {
	switch {
	case event.Err != nil:
		a.refusedClient(ctx, event)
	case event.Endpoint == issuer.BridgeEndpoint:
		a.bridged(event)
	case event.Endpoint == issuer.TokenEndpoint:
		a.issued(event)
	case event.Endpoint == issuer.RevocationEndpoint && event.TokenID != "":
		a.revoked(event)
	}
}

func (a *auditor) revoked(event *issuer.Event) {
	if line := a.logger.Check(zapcore.InfoLevel, "token revoked"); line != nil {
		line.Write(
			zap.String("client_id", event.ClientID),
			zap.String("jti", event.TokenID),
			zap.String("address", event.Address),
			zap.Duration("duration", event.Duration),
		)
	}
}

func (a *auditor) issued(event *issuer.Event) {
	if line := a.logger.Check(zapcore.InfoLevel, "token issued"); line != nil {
		line.Write(
			zap.String("client_id", event.ClientID),
			zap.String("method", string(event.Method)),
			zap.String("secret_id", event.SecretID),
			zap.String("address", event.Address),
			zap.Strings("resources", event.Resources),
			zap.Strings("scope", event.Scope),
			zap.String("jti", event.TokenID),
			zap.String("bound_to", boundTo(event.Confirmation)),
			zap.String("kid", event.KeyID),
			zap.Duration("lifetime", event.Lifetime),
			zap.Duration("duration", event.Duration),
		)
	}
}

// bridged tells of credentials that are good. It is at debug level: there is one
// for each request of who uses a bridge.
func (a *auditor) bridged(event *issuer.Event) {
	if line := a.logger.Check(zapcore.DebugLevel, "bridge used"); line != nil {
		line.Write(
			zap.String("client_id", event.ClientID),
			zap.String("method", string(event.Method)),
			zap.String("secret_id", event.SecretID),
			zap.String("address", event.Address),
			zap.Strings("resources", event.Resources),
			zap.Strings("scope", event.Scope),
			zap.Duration("duration", event.Duration),
		)
	}
}

// boundTo tells to what a token is bound (RFC 7800), in the words of `require`.
func boundTo(confirmation *token.Confirmation) string {
	var words []string
	if confirmation != nil && confirmation.KeyThumbprint != "" {
		words = append(words, string(client.BoundByDPoP))
	}
	if confirmation != nil && confirmation.CertificateThumbprint != "" {
		words = append(words, string(client.BoundByCertificate))
	}
	return strings.Join(words, " ")
}

// refusals are the messages for refusals by endpoint.
var refusals = map[issuer.Endpoint]string{
	issuer.TokenEndpoint:         "token refused",
	issuer.IntrospectionEndpoint: "introspection refused",
	issuer.RevocationEndpoint:    "revocation refused",
	issuer.BridgeEndpoint:        "bridge refused",
}

func (a *auditor) refusedClient(ctx context.Context, event *issuer.Event) {
	line := a.refusal(refusals[event.Endpoint], event.Err.Reason, event.Address)
	if line == nil {
		return
	}
	fields := []zap.Field{
		zap.String("error", string(event.Err.Code)),
		zap.String("reason", event.Err.Reason),
		zap.Int("status", event.Err.Status),
		zap.String("description", event.Err.Description),
		zap.NamedError("cause", event.Err.Cause),
		zap.String("client_id", event.ClientID),
		zap.String("method", string(event.Method)),
		zap.String("address", event.Address),
		zap.Duration("duration", event.Duration),
	}
	if event.Endpoint == issuer.BridgeEndpoint { // as in the gate's line, and in its answer
		fields = append(fields, zap.String("error_id", refusalID(ctx)))
	}
	line.Write(fields...)
}

// refusal begins the line of a refusal; nil where there is to be none.
func (a *auditor) refusal(message, reason, address string) *zapcore.CheckedEntry {
	line := a.logger.Check(zapcore.InfoLevel, message)
	if line == nil || !a.flood.allow(refusalKind{message, reason, address}, a.withheld) {
		return nil
	}
	return line
}

// withheld tells how many refusals got no line of their own.
func (a *auditor) withheld(counts map[refusalKind]int) {
	for kind, count := range counts {
		if line := a.logger.Check(zapcore.InfoLevel, "refusals not written"); line != nil {
			line.Write(
				zap.String("refusal", kind.message),
				zap.String("reason", kind.reason),
				zap.String("address", kind.address),
				zap.Int("count", count),
			)
		}
	}
}
