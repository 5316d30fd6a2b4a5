package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

// parseIssuer reads the directive
//
//	oauth2_issuer [<matcher>] {
//		token_endpoint <path>...
//		jwks           <path>
//		introspection  <path>|off
//		revocation     <path>|off
//		mtls_host      <url>
//	}
func parseIssuer(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	matcher, l, err := readDirective(h)
	if err != nil {
		return nil, err
	}
	shape := subdirective{grammar: "oauth2_issuer [<matcher>] { ... }", words: exactly(0), block: true}
	if err := shape.checkLine("", l); err != nil {
		return nil, err
	}
	var issuer Issuer
	marks := marks{"": l.name}
	err = readBlock("oauth2_issuer", l.block, []subdirective{
		{
			grammar: "token_endpoint <path>...", words: atLeast(1), repeats: true,
			read: marks.list("token_endpoints", &issuer.TokenEndpoints),
		},
		{grammar: "jwks <path>", words: exactly(1), read: marks.text("jwks", &issuer.JWKS)},
		{grammar: "introspection <path>|off", words: exactly(1), read: marks.text("introspection", &issuer.Introspection)},
		{grammar: "revocation <path>|off", words: exactly(1), read: marks.text("revocation", &issuer.Revocation)},
		{grammar: "mtls_host <url>", words: exactly(1), read: marks.text("mtls_host", &issuer.MTLSHost)},
	})
	if err != nil {
		return nil, err
	}
	app, err := optionOf(h, l)
	if err != nil {
		return nil, err
	}
	if err := (checker{adapting: true}).issuer(&issuer, app); err != nil {
		return nil, marks.locate(err)
	}
	return newRoute(h, matcher, &issuer), nil
}
