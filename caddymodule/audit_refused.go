package caddymodule

import (
	"net/http"

	"go.uber.org/zap"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// maxLoggedPath bounds what a stranger can make the log grow by, in bytes.
const maxLoggedPath = 512

// refused writes the line from which an operator can tell why a request did
// not pass.
func (a *auditor) refused(r *http.Request, g *Gate, verdict *gate.Verdict, id string) {
	message := "request refused"
	if g.ReportOnly {
		message = "request would be refused"
	}
	line := a.refusal(message, string(verdict.Reason), clientAddress(r))
	if line == nil {
		return
	}
	fields := []zap.Field{
		zap.String("error", verdict.Code()),
		zap.String("reason", string(verdict.Reason)),
		zap.Int("status", verdict.Status()),
		zap.NamedError("cause", verdict.Err),
		zap.String("error_id", id),
		zap.String("resource", g.Resource),
		zap.String("address", clientAddress(r)),
		zap.String("host", r.Host),
		zap.String("request_method", r.Method),
		zap.String("path", cut(r.URL.Path, maxLoggedPath)),
	}
	if verdict.Rule != nil {
		fields = append(fields, zap.Stringer("rule", verdict.Rule))
	}
	if len(verdict.Needed) > 0 {
		fields = append(fields, zap.Strings("needed_scope", verdict.Needed))
	}
	// Of a genuine token that is refused, too: whose it is tells whom to help.
	if claims := verdict.Signed; claims != nil {
		fields = append(fields, zap.String("client_id", claims.ClientID), zap.String("issuer", claims.Issuer),
			zap.Strings("scope", claims.Scope), zap.String("jti", claims.ID))
	} else if verdict.Named != "" { // at a bridge, and not proved
		fields = append(fields, zap.String("client_id", verdict.Named))
	}
	line.Write(fields...)
}

func cut(text string, length int) string {
	if len(text) > length {
		return text[:length] + "..."
	}
	return text
}
