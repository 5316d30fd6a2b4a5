package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// refusalBody is the body of a refusal, with the members of RFC 6749 section 5.2.
type refusalBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	ID          string `json:"error_id,omitempty"` // finds the line in the audit log
}

// refusalID names the refusal of a request: it is Caddy's {http.request.uuid},
// which access logs can have too. The client learns nothing from it.
func refusalID(ctx context.Context) string {
	repl, ok := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return ""
	}
	id, _ := repl.GetString("http.request.uuid")
	return id
}

// refuse answers with an error: in JSON or, where the site's handle_errors has
// an answer for it, there.
func refuse(w http.ResponseWriter, r *http.Request, status int, refusal refusalBody) error {
	w.Header().Set("Cache-Control", "no-store")
	if routes := errorRoutes(r); len(routes) > 0 {
		repl := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
		repl.Set("http.oauth2.error", refusal.Error)
		repl.Set("http.oauth2.error_description", refusal.Description)
		repl.Set("http.oauth2.error_id", refusal.ID)
		problem := caddyhttp.Error(status, errors.New(refusal.Error+": "+refusal.Description))
		if handlesError(routes, r, repl, problem) {
			return problem
		}
	}
	return writeRefusal(w, status, refusal)
}

func writeRefusal(w http.ResponseWriter, status int, refusal refusalBody) error {
	body, err := json.Marshal(refusal)
	if err != nil {
		return caddyhttp.Error(status, err)
	}
	w.Header().Set("Content-Type", "application/json")
	// No Content-Length: it would stay where intercept replaces this body, and
	// net/http finds the length of so short a one itself.
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone: nothing to be done
	return nil
}

// errorRoutes are what Caddy does with an error of this request: handle_errors
// of all sites of the server, each behind the matcher of its site.
func errorRoutes(r *http.Request) caddyhttp.RouteList {
	server, ok := r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok || server.Errors == nil {
		return nil
	}
	if _, again := r.Context().Value(caddyhttp.ErrorCtxKey).(error); again {
		return nil // these routes are running: of their errors Caddy makes an empty body
	}
	return server.Errors.Routes
}

// handlesError tells whether one of the routes answers, for with none Caddy
// would send an empty body. It sees what the routes will see: the request as
// the client sent it, and the error in context and placeholders.
func handlesError(routes caddyhttp.RouteList, r *http.Request, repl *caddy.Replacer, problem error) bool {
	var handled bool
	asAsked(r, func() {
		failed := (*caddyhttp.HTTPErrorConfig)(nil).WithError(r, problem)
		handled = follow(routes, failed, repl, make(map[string]bool)) == answers
	})
	if !handled {
		repl.DeleteByPrefix("http.error")
	}
	return handled
}

// asAsked undoes rewrites, as Caddy does before it runs its error routes, for
// as long as look runs. It does so in place: placeholders read this url.
func asAsked(r *http.Request, look func()) {
	original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	if !ok || original.URL == nil {
		look()
		return
	}
	method, uri, url := r.Method, r.RequestURI, *r.URL
	defer func() { r.Method, r.RequestURI, *r.URL = method, uri, url }()
	r.Method, r.RequestURI, *r.URL = original.Method, original.RequestURI, *original.URL
	look()
}

// way is where a request comes out of routes.
type way uint8

const (
	goesOn  way = iota // behind the last of them
	answers            // at a handler that answers
	ends               // nowhere: Caddy answers with an empty body
)

// follow goes the way of a request through routes, without running what it
// meets. groups holds those of which a route has matched; no other one will.
func follow(routes caddyhttp.RouteList, r *http.Request, repl *caddy.Replacer, groups map[string]bool) way {
	for _, route := range routes {
		if groups[route.Group] {
			continue
		}
		matches, err := route.MatcherSets.AnyMatchWithError(r)
		if err != nil {
			return ends
		}
		if !matches {
			continue
		}
		groups[route.Group] = route.Group != ""
		for _, handler := range route.Handlers {
			if end := pass(handler, r, repl, groups); end != goesOn {
				return end
			}
		}
		if route.Terminal {
			return ends
		}
	}
	return goesOn
}

// pass tells whether a request gets behind a handler. One that is not known
// to pass it on is taken to answer.
func pass(handler caddyhttp.MiddlewareHandler, r *http.Request, repl *caddy.Replacer, groups map[string]bool) way {
	if subroute, ok := handler.(*caddyhttp.Subroute); ok {
		return follow(subroute.Routes, r, repl, groups)
	}
	if rewriter, ok := handler.(interface {
		Rewrite(r *http.Request, repl *caddy.Replacer) bool
	}); ok {
		rewriter.Rewrite(r, repl) // later matchers see it; asAsked takes it back
		return goesOn
	}
	if passingOn[nameOf(handler)] {
		return goesOn
	}
	return answers
}

// nameOf is what a handler is called in configurations.
func nameOf(handler caddyhttp.MiddlewareHandler) string {
	if inPlace, ok := handler.(*standIn); ok {
		return inPlace.Name
	}
	if module, ok := handler.(caddy.Module); ok {
		return module.CaddyModule().ID.Name()
	}
	return ""
}

// passingOn are Caddy's handlers that never answer by themselves.
var passingOn = map[string]bool{
	"encode": true, "headers": true, "intercept": true, "log_append": true, "map": true, "push": true,
	"request_body": true, "templates": true, "timeouts": true, "tracing": true, "vars": true,
}
