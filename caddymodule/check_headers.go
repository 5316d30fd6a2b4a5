package caddymodule

import (
	"fmt"
	"slices"
	"strings"
)

func (c checker) identityHeaders(p place, headers IdentityHeaders) error {
	if headers.Off {
		if headers != (IdentityHeaders{Off: true}) {
			return p.errorf("names beside off: expected one or the other")
		}
		return nil
	}
	var taken []string
	for _, header := range []struct{ word, name, byDefault string }{
		{"client", headers.Client, defaultClientHeader},
		{"scope", headers.Scope, defaultScopeHeader},
		{"issuer", headers.Issuer, defaultIssuerHeader},
	} {
		at := p.sub(header.word, header.word)
		if header.name == "" {
			header.name = header.byDefault
		}
		if err := c.text(at, header.name, judgeIdentityHeader); err != nil {
			return err
		}
		name, known := c.read(header.name)
		if known && slices.Contains(taken, fold(name)) {
			return at.errorf("header %q stands twice: expected different ones", name)
		}
		taken = append(taken, fold(name))
	}
	return nil
}

// reservedHeaders have a meaning of their own on the way to the upstream: the
// hop-by-hop ones (RFC 9110 section 7.6.1), credentials, framing, those that
// the gate removes, and those that reverse_proxy writes after the gate has,
// so that the upstream would never see who calls. Spelled as [fold] does.
var reservedHeaders = []string{
	"authorization", "dpop", "connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
	"proxy-authentication-info", "proxy-connection", "te", "trailer", "trailers", "transfer-encoding", "upgrade",
	"host", "content-length", "x-http-method-override", "x-http-method", "x-method-override",
	"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "via", "cookie", "accept-encoding", "alt-svc",
}

func judgeIdentityHeader(name string) error {
	switch {
	case !headerToken(name):
		return fmt.Errorf("header %q: expected a header name (RFC 9110 section 5.1)", name)
	case slices.Contains(reservedHeaders, fold(name)):
		return fmt.Errorf("header %q has a meaning of its own: expected another one, such as X-Client-Id", name)
	}
	return nil
}

// headerToken tells whether value is a token (RFC 9110 section 5.6.2).
func headerToken(value string) bool {
	for i := range len(value) {
		c := value[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return value != ""
}
