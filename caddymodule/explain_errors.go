package caddymodule

import (
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// byErrors is who answers an error where no route does: Caddy, with an empty body.
const byErrors = "an error"

// failed plays what Caddy does with an error of the routes: it undoes rewrites, and
// asks handle_errors of all sites of the server.
func (e *explanation) failed(w http.ResponseWriter, r *http.Request, problem error, server *caddyhttp.Server) {
	status := statusOfError(problem)
	if server.Errors == nil || len(server.Errors.Routes) == 0 {
		if e.Result == resultAnswered && e.Answer == nil {
			e.answered(byErrors, status)
		}
		return
	}
	var refusal *explainedAnswer
	if e.Result == resultRefused {
		refusal = e.Answer
	}
	e.Result, e.Answer = resultAnswered, nil
	asAsked(r, func() {
		end := caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error {
			e.answered(byErrors, status)
			return nil
		})
		failed := server.Errors.WithError(r, problem)
		if server.Errors.Routes.Compile(end).ServeHTTP(w, failed) != nil {
			e.answered(byErrors, status)
		}
	})
	if refusal != nil {
		e.refusedThen(refusal)
	}
}

// refusedThen puts together that a gate has refused the request, and what
// handle_errors makes of that.
func (e *explanation) refusedThen(refusal *explainedAnswer) {
	switch {
	case e.Upstream != nil:
		e.Result = resultUnknown
		e.note("the gate refuses the request, and handle_errors hands it on to " + e.Upstream.Handler +
			" all the same: what the client gets is up to that")
	case e.Result == resultAnswered && e.Answer.By == byAbort:
		e.Result = resultRefused
	case e.Result == resultAnswered:
		e.note("handle_errors answers in place of the gate: the body is that of " + e.Answer.By)
		if e.Answer.Status != 0 {
			refusal.Status = e.Answer.Status
		}
		e.Result, e.Answer = resultRefused, refusal
	}
}

// statusOfError is the status with which Caddy answers an error.
func statusOfError(problem error) int {
	var known caddyhttp.HandlerError
	if errors.As(problem, &known) && known.StatusCode != 0 {
		return known.StatusCode
	}
	return http.StatusInternalServerError
}
