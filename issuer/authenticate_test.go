package issuer_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// Who may have a token, and that refusals are alike (RFC 6749 sections 2.3 and 5.2).
func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	const grant = "grant_type=client_credentials"
	header := func(values ...string) *http.Request {
		r := form(grant)
		r.Header["Authorization"] = values
		return r
	}
	const wrong = "401 invalid_client"
	for _, c := range []struct {
		name   string
		r      *http.Request
		answer string
		reason string
	}{
		{"Basic", basic("batch", "a+secret+of+the+batch+client", grant), "200 ", ""},
		{"Basic, any case of the scheme", header("bAsIc YmF0Y2g6YStzZWNyZXQrb2YrdGhlK2JhdGNoK2NsaWVudA=="), "200 ", ""},
		{"Basic with the same client_id", basic("batch", "a+secret+of+the+batch+client", grant+"&client_id=batch"), "200 ", ""},
		{"Basic with another client_id", basic("batch", "a+secret+of+the+batch+client", grant+"&client_id=off"), "400 invalid_request", "client_id"},
		{"body", form(grant + "&client_id=batch&client_secret=a+secret+of+the+batch+client"), "200 ", ""},
		{"second secret, not ASCII", form(grant + "&client_id=a:b&client_secret=schl%C3%BCssel+gr%C3%B6%C3%9Fer+als+%C3%9F"), "200 ", ""},
		{"expired secret", form(grant + "&client_id=a:b&client_secret=expired+since+yesterday"), wrong, "expired_secret"},
		{"wrong secret", basic("batch", "wrong", grant), wrong, "wrong_secret"},
		{"empty secret", basic("batch", "", grant), wrong, "wrong_secret"},
		{"secret of another client", basic("batch", "p%25q%2Br+s+and+some+more", grant), wrong, "wrong_secret"},
		{"secret with a NUL more", form(grant + "&client_id=batch&client_secret=a+secret+of+the+batch+client%00"), wrong, "wrong_secret"},
		{"unknown client", basic("nobody", "wrong", grant), wrong, "unknown_client"},
		{"client_id in capitals", basic("Batch", "a+secret+of+the+batch+client", grant), wrong, "unknown_client"},
		{"disabled client, right secret", basic("off", "a+secret+of+the+batch+client", grant), wrong, "disabled"},
		{"client without secrets", basic("bare", "a+secret+of+the+batch+client", grant), wrong, "no_secret"},
		{"no authentication", form(grant), wrong, "missing"},
		{"client_id alone", form(grant + "&client_id=batch"), wrong, "missing"},
		{"secret alone", form(grant + "&client_secret=a+secret+of+the+batch+client"), wrong, "missing"},
		{"not base64", header("Basic !!!"), wrong, "malformed"},
		{"no colon", header("Basic YmF0Y2g="), wrong, "malformed"},
		{"bad escape", basic("batch", "%zz", grant), wrong, "malformed"},
		{"Bearer", header("Bearer x"), wrong, "malformed"},
		{"empty header", header(""), wrong, "malformed"},
		{"assertion", form(grant + "&client_id=batch&client_assertion_type=urn:x&client_assertion=x"), wrong, "malformed"},
		{"two headers", header("Basic YTpi", "Basic YTpi"), "400 invalid_request", "methods"},
		{"Basic and body secret", basic("batch", "a+secret+of+the+batch+client", grant+"&client_secret=x"), "400 invalid_request", "methods"},
		{"body secret and assertion", form(grant + "&client_id=batch&client_secret=x&client_assertion=x"), "400 invalid_request", "methods"},
		{"judged before scope and resource", basic("batch", "wrong", grant+"&scope=%22&resource=x"), wrong, "wrong_secret"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t) // of its own, so that the last event is this request's
			w := s.do(c.r)
			got := read(t, w)
			if have := http.StatusText(w.Code); !strings.HasPrefix(c.answer, itoa(w.Code)+" ") || c.answer != itoa(w.Code)+" "+got.Error {
				t.Fatalf("got %d %s %s", w.Code, have, w.Body)
			}
			if event := s.events.last(); event.Err != nil && event.Err.Reason != c.reason {
				t.Fatalf("reason %q", event.Err.Reason)
			}
			challenge := w.Header().Get("WWW-Authenticate")
			if (w.Code == 401) != (challenge == `Basic realm="https://as.example"`) {
				t.Fatalf("challenge %q", challenge)
			}
		})
	}
	// The body and the headers of all 401 answers are the same to the byte.
	unknown, known := s.do(basic("nobody", "wrong", grant)), s.do(basic("batch", "wrong", grant))
	if unknown.Body.String() != known.Body.String() || len(unknown.Header()) != len(known.Header()) {
		t.Fatalf("%s %v differs from %s %v", unknown.Body, unknown.Header(), known.Body, known.Header())
	}
}

func itoa(status int) string {
	return string([]byte{byte('0' + status/100), byte('0' + status/10%10), byte('0' + status%10)})
}

// People swap id and secret: neither order may write a secret into the log.
func TestLogShowsNoSwappedSecret(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for name, r := range map[string]*http.Request{
		"Basic":                    basic("a+secret+of+the+batch+client", "batch", "grant_type=client_credentials"),
		"body":                     form("grant_type=client_credentials&client_id=a+secret+of+the+batch+client&client_secret=batch"),
		"a secret nobody can know": basic("chosen+by+a+person", "batch", "grant_type=client_credentials"),
		"a generated one":          basic("cc_abcdefgh", "x", "grant_type=client_credentials"),
		"no secret":                form("grant_type=client_credentials&client_id=a+secret+of+the+batch+client"),
	} {
		if w := s.do(r); w.Code != 401 {
			t.Errorf("%s: %d", name, w.Code)
		}
		if event := s.events.last(); event.ClientID != client.WithheldID {
			t.Errorf("%s: logs %q", name, event.ClientID)
		}
	}
}
