package caddymodule

import (
	"encoding/json"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// readDirective takes the matcher out of a site directive and reads the rest.
func readDirective(h httpcaddyfile.Helper) (caddy.ModuleMap, line, error) {
	h.Next()
	matcher, hasMatcher, err := h.MatcherToken()
	if err != nil {
		return nil, line{}, h.WrapErr(err)
	}
	if hasMatcher {
		h.Delete()
	}
	h.Reset()
	h.Next()
	return matcher, readLine(h.Dispenser), nil
}

// newRoute makes the route of a handler; without a matcher it is for every
// request.
func newRoute(h httpcaddyfile.Helper, matcher caddy.ModuleMap, handler caddyhttp.MiddlewareHandler) []httpcaddyfile.ConfigValue {
	if matcher == nil && h.IsNamedRoute() {
		// The adapter joins routes without matchers, and of a named route that
		// is but one such route it keeps the first handler: a gate behind
		// `header` would be gone. A matcher for everything keeps it.
		matcher = caddy.ModuleMap{"path": h.JSON(caddyhttp.MatchPath{"*"})}
	}
	return h.NewRoute(matcher, handler)
}

// optionOf returns the app as the global option has it, for a directive that
// needs it.
func optionOf(h httpcaddyfile.Helper, directive line) (*App, error) {
	option, ok := h.Option(optionName).(httpcaddyfile.App)
	if !ok {
		return nil, atToken(directive.name, fmt.Errorf(
			"%s needs the global option oauth2: expected `oauth2 { issuer <url> }` among the global options", directive.name.Text))
	}
	app := new(App)
	if err := json.Unmarshal(option.Value, app); err != nil {
		return nil, atToken(directive.name, fmt.Errorf("decoding the global option oauth2: %w", err))
	}
	return app, nil
}
