package caddymodule

import (
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// This file is the one place where a request becomes facts that decisions are
// made on. Nothing here believes a header that a client can write: Caddy's
// trusted_proxies decides that.

// peerOf tells the issuer who is at the other end of the connection.
func peerOf(r *http.Request) issuer.Peer {
	return issuer.Peer{Address: clientAddress(r)}
}

// clientAddress is the client's IP address as trusted_proxies has it.
func clientAddress(r *http.Request) string {
	address, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	return address
}

// gateRequest describes the request as the upstream will see it.
func gateRequest(r *http.Request) gate.Request {
	facts := gate.Request{
		Method:        upstreamMethod(r),
		EscapedPath:   r.URL.EscapedPath(),
		Path:          r.URL.Path,
		Authorization: r.Header["Authorization"],
	}
	if earlier := callerOf(r); earlier != nil && len(facts.Authorization) == 0 {
		// A gate further out has taken the token away from what follows, and
		// this one is to judge it too.
		facts.Authorization = earlier.authorization
	}
	if r.URL.Opaque != "" {
		// A target that is neither a path nor an absolute url: what an upstream
		// makes of it is not known, and CheckPath refuses what has no slash.
		facts.EscapedPath, facts.Path = r.URL.Opaque, ""
	}
	return facts
}

// upstreamMethod is the method that reverse_proxy will send: it turns a
// WebSocket over HTTP/2 or 3 (RFC 8441, RFC 9220) into a GET.
func upstreamMethod(r *http.Request) string {
	if r.Method == http.MethodConnect && r.ProtoMajor >= 2 &&
		(r.Header.Get(":protocol") == "websocket" || r.Proto == "websocket") {
		return http.MethodGet
	}
	return r.Method
}
