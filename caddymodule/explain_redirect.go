package caddymodule

import (
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// Caddy itself adds the redirects from http to https when the http app is made. So
// what of automatic HTTPS they depend on is left in a configuration that is looked
// at. Certificates are not: nothing is to be made or fetched for them.

// automaticHTTPS is what a server has of it.
func automaticHTTPS(server object) object {
	made := object{"disable_certificates": true}
	asked, _ := server["automatic_https"].(object)
	for _, name := range []string{"disable", "disable_redirects", "skip"} {
		if value, found := asked[name]; found {
			made[name] = value
		}
	}
	return made
}

// certifiedName is a server that listens nowhere. Caddy puts redirects before a site
// for all hosts at the port of http only where it manages a certificate for some
// name. This server has such a name, in place of those of the others.
const certifiedName = "oauth2_explain"

func certified() object {
	return object{
		"listen": []any{"unix/@" + certifiedName}, "automatic_https": object{"disable_redirects": true},
		"routes": []any{object{"match": []any{object{"host": []any{"explain.example.com"}}}}},
	}
}

// managesCertificates tells whether Caddy would for one of the server's names.
func managesCertificates(server object, httpPort uint) bool {
	asked, _ := server["automatic_https"].(object)
	listen, _ := server["listen"].([]any)
	return asked["disable"] != true && asked["disable_certificates"] != true && hasHosts(server) &&
		slices.ContainsFunc(listen, func(listener any) bool {
			text, _ := listener.(string)
			address, err := caddy.ParseNetworkAddress(text)
			return err == nil && (address.StartPort != httpPort || address.EndPort != httpPort)
		})
}

// hasHosts tells whether one of the outer routes is for certain hosts.
func hasHosts(server object) bool {
	routes, _ := server["routes"].([]any)
	return slices.ContainsFunc(routes, func(route any) bool {
		fields, _ := route.(object)
		sets, _ := fields["match"].([]any)
		return slices.ContainsFunc(sets, func(set any) bool {
			matchers, _ := set.(object)
			return matchers["host"] != nil
		})
	})
}

// byRedirect is who answers where Caddy sends a client from http to https.
const byRedirect = "the redirect to https"

// redirected notes that the client is sent to https. A query may hold a token.
func (e *explanation) redirected(header http.Header) {
	location, _, cut := strings.Cut(header.Get("Location"), "?")
	if cut {
		location += "?..."
	}
	e.Answer = &explainedAnswer{By: byRedirect, Status: http.StatusPermanentRedirect, Header: map[string][]string{"Location": {location}}}
	e.note("the API is not reached over http: ask about the url with https; what a client sends over http, a token too, is not encrypted")
}

// byNothing is who answers where nothing listens.
const byNothing = "nothing"

// unheard explains a request at a port where nothing listens.
func (q *question) unheard() *explanation {
	found := &explanation{Method: q.method, URL: q.url(), Gates: []explainedGate{}, Notes: []string{}, Result: resultAnswered}
	found.Answer = &explainedAnswer{By: byNothing}
	why := "no site is for http at this port"
	if q.port() == caddyhttp.DefaultHTTPPort {
		why += ", and Caddy's redirects to https are off"
	}
	found.note(why)
	return found
}

// redirectServer is what Caddy calls a server that it adds for redirects alone.
const redirectServer = "remaining_auto_https_redirects"

// meant are the servers that a request may have been meant for where none listens at
// its port, as behind a load balancer: for http those without TLS.
func (l *looked) meant(q *question, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return name == redirectServer || q.scheme == "http" && len(l.http.Servers[name].TLSConnPolicies) > 0
	})
}

// inside is the port at which Caddy gets what clients send to a port: http_port and
// https_port stand for those that clients know.
func (l *looked) inside(port uint) uint {
	switch {
	case port == caddyhttp.DefaultHTTPPort && l.http.HTTPPort > 0:
		return uint(l.http.HTTPPort)
	case port == caddyhttp.DefaultHTTPSPort && l.http.HTTPSPort > 0:
		return uint(l.http.HTTPSPort)
	}
	return port
}
