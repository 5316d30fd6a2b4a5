package caddymodule

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// failed answers a request that came with secrets where Caddy does not look for them,
// and for which a handler behind the gate has failed. Caddy would do the same and log
// the error with the request as the client has sent it: it takes that before any
// handler runs, so nobody can take a secret out of it. Where error routes stand it is
// left to Caddy, which then logs such an error at debug level alone.
func (g *Gate) failed(w http.ResponseWriter, r *http.Request, secrets []string, problem error) error {
	server, ok := r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok || hasErrorRoutes(server) {
		return problem
	}
	status, message := http.StatusInternalServerError, problem.Error()
	fields := []zap.Field{zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: r})}
	var known caddyhttp.HandlerError
	if errors.As(problem, &known) {
		status = cmp.Or(known.StatusCode, status)
		if known.Err != nil {
			message = known.Err.Error()
		}
		fields = append(fields, zap.String("err_id", known.ID), zap.String("err_trace", known.Trace))
	}
	level := zapcore.DebugLevel
	if status >= http.StatusInternalServerError {
		level = zapcore.ErrorLevel
	}
	for _, secret := range secrets {
		if secret != "" { // an error may quote the request
			message = strings.ReplaceAll(message, secret, "REDACTED")
		}
	}
	if line := g.logger.Check(level, message); line != nil {
		line.Write(append(fields, zap.Int("status", status))...)
	}
	w.WriteHeader(status)
	return nil
}

// hasErrorRoutes tells whether a server does more with an error than to answer with
// its status.
func hasErrorRoutes(server *caddyhttp.Server) bool {
	if server.Errors != nil && len(server.Errors.Routes) > 0 {
		return true
	}
	for handler := range handlersIn(allRoutes(server)) {
		if subroute, ok := handler.(*caddyhttp.Subroute); ok && subroute.Errors != nil {
			return true
		}
	}
	return false
}
