package caddymodule

import (
	"crypto/x509"
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
	peer := issuer.Peer{Address: clientAddress(r), Certificate: clientCertificate(r)}
	// Caddy's client_auth modes `request` and `require` take any certificate.
	peer.ChainVerified = peer.Certificate != nil && len(r.TLS.VerifiedChains) > 0
	return peer
}

// clientCertificate is the one that the client has shown on this very
// connection, whoever issued it; nil: none.
func clientCertificate(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	return r.TLS.PeerCertificates[0]
}

// clientAddress is the client's IP address as trusted_proxies has it.
func clientAddress(r *http.Request) string {
	address, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	return address
}

// variablesOf are Caddy's variables of the request: looked up once, since that goes
// through all contexts around it. nil: there are none.
func variablesOf(r *http.Request) map[string]any {
	variables, _ := r.Context().Value(caddyhttp.VarsCtxKey).(map[string]any)
	return variables
}

// gateRequest describes the request as the upstream will see it. earlier is what a
// gate further out saw; nil: there is none.
func gateRequest(r *http.Request, variables map[string]any, earlier *caller) gate.Request {
	address, _ := variables[caddyhttp.ClientIPVarKey].(string)
	facts := gate.Request{
		Method:        upstreamMethod(r),
		EscapedPath:   r.URL.EscapedPath(),
		Path:          r.URL.Path,
		Authorization: r.Header["Authorization"],
		DPoP:          r.Header["Dpop"],
		Certificate:   clientCertificate(r),
		Address:       address,
	}
	if len(facts.DPoP) > 0 {
		facts.Target = target(r)
	}
	if earlier != nil {
		earlier.bring(&facts)
	}
	if r.URL.Opaque != "" {
		// A target that is neither a path nor an absolute url: what an upstream
		// makes of it is not known, and CheckPath refuses what has no slash.
		facts.EscapedPath, facts.Path = r.URL.Opaque, ""
	}
	return facts
}

// target is what the client asked for, before any rewrite. Caddy keeps method
// and url of it.
func target(r *http.Request) gate.Target {
	asked := gate.Target{Method: upstreamMethod(r), Scheme: "http", Host: r.Host, Path: r.URL.EscapedPath()}
	if r.TLS != nil {
		asked.Scheme = "https"
	}
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok {
		asked.Path = original.URL.EscapedPath()
		if original.Method != r.Method {
			asked.Method = original.Method
		}
	}
	return asked
}

// upstreamMethod is the method that reverse_proxy will send: it turns a
// WebSocket over HTTP/2 or 3 (RFC 8441, RFC 9220) into a GET. What tells it so
// differs: HTTP/3 leaves the protocol where the version stands.
func upstreamMethod(r *http.Request) string {
	websocket := r.ProtoMajor == 2 && r.Header.Get(":protocol") == "websocket" || r.ProtoMajor == 3 && r.Proto == "websocket"
	if websocket && r.Method == http.MethodConnect {
		return http.MethodGet
	}
	return r.Method
}
