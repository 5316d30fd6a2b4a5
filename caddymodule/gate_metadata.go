package caddymodule

import (
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// asksFor tells whether a request is for the metadata, as it stands or as the
// client sent it: clients know nothing of a rewrite. All that such a request
// can get is the document; it never goes on.
func asksFor(metadata *gate.Metadata, r *http.Request) bool {
	if metadata.Serves(r.URL.EscapedPath()) {
		return true
	}
	original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	return ok && original.URL != nil && metadata.Serves(original.URL.EscapedPath())
}

// certificateBound tells whether tokens of some client must be bound to its
// certificate, of clients that are made at run time too. Strangers may ask for it: all
// clients are looked at only where one has changed.
func certificateBound(clients *client.Registry) func() bool {
	var known atomic.Uint64 // the version, which is never 0, and the answer in the last bit
	return func() bool {
		version := uint64(clients.Version()) << 1 // read before the clients are: they may be newer
		if last := known.Load(); last&^1 == version {
			return last != version
		}
		bound := clients.Requires(client.BoundByCertificate)
		if bound {
			version++
		}
		known.Store(version)
		return bound
	}
}

func serveMetadata(w http.ResponseWriter, r *http.Request, metadata *gate.Metadata) error {
	w.Header().Set("Content-Type", "application/json")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return refuse(w, r, http.StatusMethodNotAllowed, refusalBody{Error: "invalid_request", Description: "this document is read with GET"})
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	body := metadata.Body()
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client has gone: nothing to be done
	return nil
}
