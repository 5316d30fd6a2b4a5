package caddymodule

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// guard tells which of the requests at a point of the routes have passed a gate.
type guard uint8

const (
	guardsNone guard = iota
	guardsSome       // those that match what the gate has before it
	guardsAll
)

// handleErrors is before the matchers of routes that answer errors.
const handleErrors = "handle_errors"

// walker goes through the routes of a server.
type walker struct {
	found  *coverage
	name   string
	server *caddyhttp.Server
	depth  int // of named routes, which may invoke each other
	errors bool
}

// maxInvoked bounds how deep named routes are followed.
const maxInvoked = 8

func (l *looked) walk(found *coverage) {
	for _, name := range slices.Sorted(maps.Keys(l.http.Servers)) {
		server := l.http.Servers[name]
		one := walker{found: found, name: name, server: server}
		one.routes(server.Routes, "", guardsNone)
		one.errorRoutes(server.Errors, "")
	}
}

// errorRoutes walks what answers errors of the routes at a place.
func (w *walker) errorRoutes(answering *caddyhttp.HTTPErrorConfig, where string) {
	if answering == nil {
		return
	}
	within := w.errors
	w.errors = true
	w.routes(answering.Routes, strings.TrimSpace(handleErrors+" "+where), guardsNone)
	w.errors = within
}

// sequence is a list of routes that is being walked.
type sequence struct {
	state   guard
	guarded map[string]bool       // matchers behind which a gate stood for all requests
	groups  map[string]*exclusive // by name
}

// exclusive is a group of routes of which a request goes through one.
type exclusive struct{ before, least guard }

// routes walks routes one of which comes after the other, and returns what is
// guarded behind them.
func (w *walker) routes(routes caddyhttp.RouteList, where string, state guard) guard {
	walked := sequence{state: state, guarded: make(map[string]bool), groups: make(map[string]*exclusive)}
	for _, route := range routes {
		matchers := matchersOf(route)
		start := walked.enter(route, matchers)
		end := w.handlers(route.Handlers, strings.TrimSpace(where+" "+matchers), start)
		walked.leave(route, matchers, end)
	}
	return walked.state
}

// enter returns what is guarded where a route begins.
func (s *sequence) enter(route caddyhttp.Route, matchers string) guard {
	if s.guarded[matchers] {
		return guardsAll
	}
	if route.Group == "" {
		return s.state
	}
	if s.groups[route.Group] == nil {
		s.groups[route.Group] = &exclusive{before: s.state, least: guardsAll}
	}
	return s.groups[route.Group].before
}

// leave notes what is guarded where a route has ended.
func (s *sequence) leave(route caddyhttp.Route, matchers string, end guard) {
	if route.Terminal {
		return // what goes on did not come through it
	}
	group := s.groups[route.Group]
	switch {
	case group != nil:
		group.least = min(group.least, end)
		if matchers == "" { // the last one: every request went through one of them
			s.state = max(s.state, group.least)
			return
		}
	case matchers == "":
		s.state = max(s.state, end)
		return
	case end == guardsAll:
		s.guarded[matchers] = true
	}
	if end > s.state && s.state == guardsNone {
		s.state = guardsSome // requests that do not match come past the gate
	}
}

func (w *walker) handlers(handlers []caddyhttp.MiddlewareHandler, where string, state guard) guard {
	for _, handler := range handlers {
		switch handler := handler.(type) {
		case *caddyhttp.Subroute:
			w.errorRoutes(handler.Errors, where)
			state = w.routes(handler.Routes, where, state)
		case *caddyhttp.Invoke:
			state = w.invoked(handler.Name, where, state)
		case *Gate:
			if handler.MetadataOnly {
				continue
			}
			w.found.Gates = append(w.found.Gates, w.covered(handler, where))
			state = guardsAll
		case *standIn:
			w.reached(handler, where, state)
		}
	}
	return state
}

func (w *walker) invoked(name, where string, state guard) guard {
	route, found := w.server.NamedRoutes[name]
	if !found || w.depth >= maxInvoked {
		return state
	}
	w.depth++
	defer func() { w.depth-- }()
	return w.routes(caddyhttp.RouteList{*route}, where, state)
}

// reached judges a handler that gives something to clients.
func (w *walker) reached(handler *standIn, where string, state guard) {
	if handler.Name != "reverse_proxy" && (handler.Name != "file_server" || w.errors) {
		return // files that answer errors are pages
	}
	what := strings.TrimSpace(handler.Name + " " + strings.Join(handler.To, " "))
	place := cmp.Or(where, "every site") + " (server " + w.name + ")"
	switch {
	case w.errors && state != guardsAll:
		w.found.warn(errorsWithoutGate, place+": no oauth2_gate stands before "+what+": it gets requests that a gate has refused")
	case state == guardsNone:
		w.found.warn(routeWithoutGate, place+": no oauth2_gate stands before "+what+": it is open to everyone")
	case state == guardsSome:
		w.found.warn(routePartlyOpen, place+": "+what+" is open to everyone for requests that the matcher of the oauth2_gate before it leaves out")
	}
}

func (w *walker) covered(g *Gate, where string) coveredGate {
	one := coveredGate{
		Server: w.name, Where: where, Resource: g.Resource, Issuers: g.issuers(), ReportOnly: g.ReportOnly,
		Rules: []coveredRule{}, Bridges: []coveredBridge{}, gate: g,
	}
	rules := g.gate.Rules()
	for i := range rules {
		one.Rules = append(one.Rules, coveredRule{
			Methods: append([]string{}, rules[i].Methods...), Pattern: rules[i].Pattern, Public: rules[i].Public,
			Needs: g.gate.Enough(&rules[i]), Origin: cmp.Or(rules[i].Origin, "the configuration"), name: rules[i].String(),
		})
	}
	if len(rules) == 0 {
		everything := gate.Rule{Pattern: "/"}
		one.Rules = append(one.Rules, coveredRule{
			Methods: []string{}, Pattern: "/", Needs: g.gate.Enough(nil), Origin: "the gate", name: everything.String(),
		})
	}
	for _, bridge := range g.Bridges {
		one.Bridges = append(one.Bridges, coveredBridgeOf(bridge))
	}
	slices.SortStableFunc(one.Rules, func(a, b coveredRule) int {
		return cmp.Or(cmp.Compare(a.Pattern, b.Pattern), slices.Compare(a.Methods, b.Methods))
	})
	return one
}

func coveredBridgeOf(bridge Bridge) coveredBridge {
	one := coveredBridge{Kind: bridge.Kind, Header: bridge.Header}
	if until, err := parseUntil(bridge.Until); bridge.Until != "" && err == nil {
		one.Until, one.Ended = until.UTC().Format(time.RFC3339), !time.Now().Before(until)
	}
	return one
}

// matchersOf names what a route is for; empty: everything.
func matchersOf(route caddyhttp.Route) string {
	sets := make([]string, 0, len(route.MatcherSets))
	for _, set := range route.MatcherSets {
		var words []string
		for _, matcher := range set {
			words = append(words, matcherText(matcher))
		}
		slices.Sort(words)
		sets = append(sets, strings.Join(words, " "))
	}
	return strings.Join(sets, " or ")
}

func matcherText(matcher any) string {
	switch matcher := matcher.(type) {
	case *caddyhttp.MatchHost:
		return strings.Join(*matcher, ",")
	case *caddyhttp.MatchPath:
		return strings.Join(*matcher, ",")
	case *caddyhttp.MatchMethod:
		return strings.Join(*matcher, ",")
	}
	if module, ok := matcher.(caddy.Module); ok {
		return "(" + module.CaddyModule().ID.Name() + ")"
	}
	return "(?)"
}
