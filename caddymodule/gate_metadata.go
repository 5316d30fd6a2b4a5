package caddymodule

import (
	"net/http"
	"strconv"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

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

func serveMetadata(w http.ResponseWriter, r *http.Request, metadata *gate.Metadata) error {
	w.Header().Set("Content-Type", "application/json")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return refuse(w, r, http.StatusMethodNotAllowed, refusalBody{Error: "invalid_request", Description: "this document is read with GET"})
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Header().Set("Content-Length", strconv.Itoa(len(metadata.Body())))
	_, _ = w.Write(metadata.Body()) // the client has gone: nothing to be done
	return nil
}
