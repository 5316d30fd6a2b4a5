package issuer

import (
	"bytes"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// longestJWKSAge is how long clients may at most use a key set without asking
// again.
const longestJWKSAge = 5 * time.Minute

// jwksCaching lets no cache keep a key set for longer than half of the time
// that a key is published before it signs.
func jwksCaching(publishAhead time.Duration) string {
	age := min(longestJWKSAge, publishAhead/2)
	return "public, max-age=" + strconv.FormatInt(int64(age/time.Second), 10)
}

// serveJWKS publishes the key set (RFC 7517).
func (s *Server) serveJWKS(w http.ResponseWriter, r *http.Request, _ Peer) {
	if err := s.config.Ready(r.Context()); err != nil {
		s.writeError(w, unavailable("not_ready", err))
		return
	}
	body, etag := s.config.Keys.JWKS()
	if len(body) == 0 {
		s.writeError(w, unavailable("no_key", nil))
		return
	}
	published{body: body, etag: etag, caching: jwksCaching(s.config.PublishAhead)}.answer(w, r)
}

// serveMetadata publishes the metadata, which tells how the clients that there are
// now may authenticate.
func (s *Server) serveMetadata(paths Paths) (Handler, error) {
	type rendered struct {
		version uint32
		published
	}
	render := func() (*rendered, error) {
		version := s.config.Clients.Version() // read before the clients are: it may be newer
		body, err := s.metadata(paths)
		return &rendered{version, published{body: body, caching: "public, max-age=3600"}}, err
	}
	first, err := render()
	if err != nil {
		return nil, err
	}
	var current atomic.Pointer[rendered]
	current.Store(first)
	return func(w http.ResponseWriter, r *http.Request, _ Peer) {
		document := current.Load()
		if document.version != s.config.Clients.Version() {
			if fresh, err := render(); err == nil { // as it did the first time
				current.Store(fresh)
				document = fresh
			}
		}
		document.answer(w, r)
	}, nil
}

// published is a public JSON document.
type published struct {
	body          []byte
	etag, caching string // header fields; no entity tag where it is empty
}

// answer answers GET and HEAD with the whole document, or that it is still the
// one that the client has.
func (p published) answer(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		writeJSON(w, http.StatusMethodNotAllowed, errorResponse{Code: InvalidRequest, Description: "this document is read with GET"})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", p.caching)
	if p.etag != "" {
		w.Header().Set("ETag", p.etag)
	}
	// A part is no JSON, and Range may be ignored (RFC 9110 section 14.2);
	// conditions must be judged (section 13.2.1).
	asked := &http.Request{Method: r.Method, Header: http.Header{
		"If-Match": r.Header["If-Match"], "If-None-Match": r.Header["If-None-Match"],
	}}
	http.ServeContent(wholeDocument{w}, asked, "", time.Time{}, bytes.NewReader(p.body))
}

// wholeDocument says that there are no parts to ask for.
type wholeDocument struct{ http.ResponseWriter }

func (w wholeDocument) WriteHeader(status int) {
	w.Header().Set("Accept-Ranges", "none")
	w.ResponseWriter.WriteHeader(status)
}
