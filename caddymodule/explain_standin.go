package caddymodule

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// standInName is the handler module of [standIn].
const standInName = "oauth2_explain"

// registerOffline makes the modules known with which a configuration is looked
// at. They are for the commands alone: no configuration can name them in a
// Caddy that serves.
var registerOffline = sync.OnceFunc(func() {
	caddy.RegisterModule(new(standIn))
	caddy.RegisterModule(new(overlay))
	caddy.RegisterModule(new(overlayStore))
})

// standIn stands for a handler that is not to do anything: it notes what
// reached it.
type standIn struct {
	Name    string   `json:"name"`    // of the handler that it stands for
	Answers bool     `json:"answers"` // that handler does not pass requests on
	To      []string `json:"to,omitempty"`
	Status  string   `json:"status,omitempty"` // of its answer; may be a placeholder
	Aborts  bool     `json:"aborts,omitempty"` // it closes the connection
}

// CaddyModule returns the Caddy module information.
func (*standIn) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers." + standInName, New: func() caddy.Module { return new(standIn) }}
}

// silent are handlers that leave requests as they are, and decide nothing:
// that they are not executed makes no difference.
var silent = []string{
	"encode", "templates", "intercept", "log_append", "tracing", "push", "timeouts", "request_body",
}

// ServeHTTP notes the request.
func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	found := explanationOf(r.Context())
	if s.Answers {
		return s.answer(found, r)
	}
	if !slices.Contains(silent, s.Name) {
		found.passes(s.Name)
	}
	return next.ServeHTTP(w, r)
}

// answer notes what a handler answers that passes nothing on. Of an error or a
// redirect it must not be said that the request gets through. The handler `error`
// leaves the answer to handle_errors.
func (s *standIn) answer(found *explanation, r *http.Request) error {
	status, known := s.status(r)
	switch {
	case s.Aborts:
		found.answered(byAbort, 0)
	case status >= http.StatusMultipleChoices:
		found.answered(s.Name, status)
		if s.Name == "error" {
			return caddyhttp.Error(status, nil)
		}
	default:
		if !known {
			found.passes(s.Name)
		}
		found.reached(r, s)
	}
	return nil
}

func (s *standIn) status(r *http.Request) (status int, known bool) {
	if s.Status == "" { // it is the upstream's, or depends on a file
		problem, failed := r.Context().Value(caddyhttp.ErrorCtxKey).(error)
		if failed && (s.Name == "static_response" || s.Name == "file_server") {
			return statusOfError(problem), true // pages have the status of their error
		}
		return http.StatusOK, true
	}
	text := s.Status
	if repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		text = repl.ReplaceAll(text, "")
	}
	status, err := strconv.Atoi(text)
	return status, err == nil
}

type explanationKey struct{}

// explanationOf is what becomes known of a request. Outside of one it is lost.
func explanationOf(ctx context.Context) *explanation {
	if found, ok := ctx.Value(explanationKey{}).(*explanation); ok {
		return found
	}
	return new(explanation)
}

// Interface guard.
var _ caddyhttp.MiddlewareHandler = (*standIn)(nil)
