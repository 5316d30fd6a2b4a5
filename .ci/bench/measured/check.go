package main

import (
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(Check{})
	httpcaddyfile.RegisterHandlerDirective("bench_check", parseCheck)
	httpcaddyfile.RegisterDirectiveOrder("bench_check", httpcaddyfile.Before, "reverse_proxy")
}

// Check is the least that a gate can do about a token that is new: it checks the
// signature, and reads nothing of what the token says.
type Check struct {
	// The path of a PEM file with the ES256 key by which tokens are checked.
	Verify string `json:"verify"`

	verifier *verifier
}

// CaddyModule returns the Caddy module information.
func (Check) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.bench_check", New: func() caddy.Module { return new(Check) }}
}

// parseCheck reads `bench_check ES256 <key file>`.
func parseCheck(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next()
	words := h.RemainingArgs()
	if len(words) != 2 || words[0] != "ES256" { // a path that came first would be a matcher
		return nil, h.ArgErr()
	}
	return &Check{Verify: words[1]}, nil
}

// Provision reads the key.
func (c *Check) Provision(caddy.Context) (err error) {
	c.verifier, err = newVerifier(c.Verify)
	return err
}

func (c *Check) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if !c.verifier.good(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
		return caddyhttp.Error(http.StatusUnauthorized, nil)
	}
	return next.ServeHTTP(w, r)
}
