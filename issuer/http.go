package issuer

import (
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
		body, err := s.readAndAnswer(r, req, event, make)
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

func (s *Server) readAndAnswer(r *http.Request, req *request, event *Event, make answer) (any, error) {
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
	if err := s.config.Ready(r.Context()); err != nil {
		return nil, unavailable("not_ready", err)
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
