package caddymodule

import (
	"iter"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
)

// handlersIn are the handlers in routes and in the routes within them.
func handlersIn(routes caddyhttp.RouteList) iter.Seq[caddyhttp.MiddlewareHandler] {
	return func(yield func(caddyhttp.MiddlewareHandler) bool) { eachHandler(routes, yield) }
}

func eachHandler(routes caddyhttp.RouteList, yield func(caddyhttp.MiddlewareHandler) bool) bool {
	for _, route := range routes {
		for _, handler := range route.Handlers {
			if !yield(handler) {
				return false
			}
			subroute, nested := handler.(*caddyhttp.Subroute)
			if nested && !eachHandler(subroute.Routes, yield) {
				return false
			}
		}
	}
	return true
}

// allRoutes are the routes of a server, named ones and those for errors included.
func allRoutes(server *caddyhttp.Server) caddyhttp.RouteList {
	routes := append(caddyhttp.RouteList(nil), server.Routes...)
	if server.Errors != nil {
		routes = append(routes, server.Errors.Routes...)
	}
	for _, named := range server.NamedRoutes {
		routes = append(routes, *named)
	}
	return routes
}

// standStill has the endpoints note that they would answer.
func (i *Issuer) standStill() {
	for path := range i.handlers {
		i.handlers[path] = issuer.Handler(func(_ http.ResponseWriter, r *http.Request, _ issuer.Peer) {
			explanationOf(r.Context()).answered("oauth2_issuer", 0)
		})
	}
}
