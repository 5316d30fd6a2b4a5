// Package caddymodule binds the issuer and the gate to Caddy: the app
// `oauth2`, the handlers `http.handlers.oauth2_issuer` and
// `http.handlers.oauth2_gate`, their Caddyfile, metrics and audit log.
package caddymodule
