package issuer

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"
)

// answer is what an endpoint does with a request whose form has been read; it
// returns the body of a 200, or an error for [asError].
type answer func(ctx context.Context, req *request, event *Event) (any, error)

// serve is the HTTP shell of the endpoints at which clients authenticate. They
// all take a form by POST (RFC 6749 section 3.2, RFC 7662 section 2.1, RFC
// 7009 section 2.1).
func (s *Server) serve(endpoint Endpoint, make answer) Handler {
	return func(w http.ResponseWriter, r *http.Request, peer Peer) {
		start := time.Now()
		event := &Event{Endpoint: endpoint, Address: peer.Address}
		req := &request{
			method: r.Method, authorization: r.Header["Authorization"], dpop: r.Header["Dpop"], peer: peer,
		}
		body, err := readAndAnswer(r, req, event, make)
		if req.nonce != "" {
			w.Header().Set("DPoP-Nonce", req.nonce) // RFC 9449 section 8
		}
		if err != nil {
			event.Err = asError(err)
			s.writeError(w, event.Err)
		} else {
			writeJSON(w, http.StatusOK, body)
		}
		event.Duration = time.Since(start)
		s.config.Observer.Answered(r.Context(), event)
	}
}

func readAndAnswer(r *http.Request, req *request, event *Event, make answer) (any, error) {
	if r.Method != http.MethodPost {
		return nil, &Error{
			Code: InvalidRequest, Status: http.StatusMethodNotAllowed,
			Reason: "method", Description: "this endpoint takes POST",
		}
	}
	parameters, refusal := readForm(r)
	if refusal != nil {
		return nil, refusal
	}
	req.form = parameters
	return make(r.Context(), req, event)
}

type errorResponse struct {
	Code        Code   `json:"error"`
	Description string `json:"error_description"`
}

func (s *Server) writeError(w http.ResponseWriter, refusal *Error) {
	switch refusal.Status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusUnauthorized:
		// RFC 6749 section 5.2, for every client alike: the answer must not
		// depend on which method was tried.
		w.Header().Set("WWW-Authenticate", `Basic realm="`+s.config.URL+`"`)
	}
	if refusal.RetryAfter > 0 {
		seconds := int64(math.Ceil(refusal.RetryAfter.Seconds()))
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	writeJSON(w, refusal.Status, errorResponse{Code: refusal.Code, Description: refusal.Description})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store") // RFC 6749 section 5.1
	header.Set("Pragma", "no-cache")
	encoded, err := json.Marshal(body)
	if err != nil { // strings and numbers only: cannot happen
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(encoded)))
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // the client has gone: nothing to be done
}

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
	body, etag := s.config.Keys.JWKS()
	if len(body) == 0 {
		s.writeError(w, unavailable("no_key", nil))
		return
	}
	w.Header().Set("ETag", etag)
	writeDocument(w, r, body, jwksCaching(s.config.PublishAhead))
}

func serveDocument(body []byte) Handler {
	return func(w http.ResponseWriter, r *http.Request, _ Peer) {
		writeDocument(w, r, body, "public, max-age=3600")
	}
}

// writeDocument answers GET and HEAD with a public JSON document.
func writeDocument(w http.ResponseWriter, r *http.Request, body []byte, caching string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		writeJSON(w, http.StatusMethodNotAllowed, errorResponse{Code: InvalidRequest, Description: "this document is read with GET"})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", caching)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}
