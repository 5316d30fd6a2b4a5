package issuer_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

const otherSecret = "schl%C3%BCssel+gr%C3%B6%C3%9Fer+als+%C3%9F"

// at is a form request of the client batch at another endpoint.
func at(path, body string) *http.Request {
	r := basic("batch", "a+secret+of+the+batch+client", body)
	r.URL.Path = path
	return r
}

// byOther is the same request of the client a:b.
func byOther(path, body string) *http.Request {
	r := form(body + "&client_id=a:b&client_secret=" + otherSecret)
	r.URL.Path = path
	return r
}

func (s *server) token(r *http.Request) string {
	s.t.Helper()
	return read(s.t, s.do(r)).AccessToken
}

// introspected is what the client batch is told of a token.
func (s *server) introspected(r *http.Request) map[string]any {
	s.t.Helper()
	w := s.do(r)
	read(s.t, w)
	var told map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil || w.Code != 200 {
		s.t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	return told
}

// Introspection tells what RFC 7662 section 2.2 lists of a token that is alive
// and the caller's own, and of anything else that it is not active.
func TestIntrospection(t *testing.T) {
	t.Parallel()
	const path = issuer.DefaultIntrospectionPath
	s := newServer(t)
	own := s.token(batch("scope=orders:read"))
	told := s.introspected(at(path, "token="+own+"&token_type_hint=refresh_token"))
	for name, want := range map[string]any{
		"active": true, "scope": "orders:read", "client_id": "batch", "sub": "batch", "aud": ordersAPI, "iss": issuerURL,
		"iat": float64(start.Unix()), "exp": float64(start.Unix() + 3600), "token_type": "Bearer", "jti": s.claims(own).ID,
	} {
		if told[name] != want {
			t.Errorf("%s is %v, want %v", name, told[name], want)
		}
	}
	if len(told) != 10 {
		t.Errorf("got %v", told)
	}
	for name, r := range map[string]*http.Request{
		"another client's":  at(path, "token="+s.token(byOther(issuer.DefaultTokenPath, "grant_type=client_credentials"))),
		"of another issuer": at(path, "token="+newServer(t).token(batch(""))),
		"nonsense":          at(path, "token=x"),
		"cut":               at(path, "token="+own[:len(own)-9]),
	} {
		if w := s.do(r); w.Code != 200 || w.Body.String() != `{"active":false}` {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// Who may ask, and how (RFC 7662 section 2.1, RFC 7009 section 2.1).
func TestEndpointsAuthenticate(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, path := range []string{issuer.DefaultIntrospectionPath, issuer.DefaultRevocationPath} {
		anonymous, wrong, get := form("token=x"), basic("batch", "wrong", "token=x"), at(path, "token=x")
		anonymous.URL.Path, wrong.URL.Path, get.Method = path, path, http.MethodGet
		inQuery := at(path, "")
		inQuery.URL.RawQuery = "token=x"
		for _, c := range []struct {
			name   string
			r      *http.Request
			status int
			code   string
		}{
			{"nobody", anonymous, 401, "invalid_client"},
			{"wrong secret", wrong, 401, "invalid_client"},
			{"GET", get, 405, "invalid_request"},
			{"no token", at(path, "x=y"), 400, "invalid_request"},
			{"empty token", at(path, "token="), 400, "invalid_request"},
			{"token in the query", inQuery, 400, "invalid_request"},
			{"token twice", at(path, "token=x&token=x"), 400, "invalid_request"},
		} {
			if w := s.do(c.r); w.Code != c.status || read(t, w).Error != c.code {
				t.Errorf("%s, %s: %d %s", path, c.name, w.Code, w.Body)
			}
		}
	}
}

// A revoked token is not alive from the moment of the answer; others are
// (RFC 7009 section 2).
func TestRevocation(t *testing.T) {
	t.Parallel()
	const path, inspect = issuer.DefaultRevocationPath, issuer.DefaultIntrospectionPath
	s := newServer(t)
	revoked, kept := s.token(batch("")), s.token(batch(""))
	for range 2 { // the second time it is revoked already
		if w := s.do(at(path, "token="+revoked)); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if event := s.events.last(); event.Endpoint != issuer.RevocationEndpoint || event.TokenID != s.claims(revoked).ID {
		t.Errorf("event %+v", event)
	}
	if s.introspected(at(inspect, "token="+revoked))["active"] != false || s.introspected(at(inspect, "token="+kept))["active"] != true {
		t.Error("the wrong one is alive")
	}
	for name, raw := range map[string]string{"unknown": "x", "of another issuer": newServer(t).token(batch(""))} {
		if w := s.do(at(path, "token="+raw)); w.Code != 200 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	// Another client's token is neither revoked nor told about.
	if w := s.do(byOther(path, "token="+kept)); w.Code != 400 || read(t, w).Error != "unauthorized_client" {
		t.Errorf("another client's: %d %s", w.Code, w.Body)
	}
	if s.introspected(at(inspect, "token="+kept))["active"] != true {
		t.Error("revoked by another client")
	}
}

// A token of an instance whose clock is ahead will be good soon: it is revoked too.
func TestRevocationOfATokenToCome(t *testing.T) {
	t.Parallel()
	revocations := new(noted)
	s := newServer(t, func(c *issuer.Config, _ *issuer.Paths) { c.Revocations = revocations })
	signer, err := s.ring.Signer()
	if err != nil {
		t.Fatal(err)
	}
	for id, offset := range map[string]time.Duration{"ahead": 5 * time.Minute, "expired": -2 * time.Hour} {
		from := start.Add(offset)
		raw, err := signer.Sign(&token.Claims{
			Issuer: issuerURL, Subject: "batch", ClientID: "batch", Audience: []string{ordersAPI}, ID: id,
			IssuedAt: from.Unix(), Expires: from.Add(time.Hour).Unix(),
		})
		if err != nil {
			t.Fatal(err)
		}
		if w := s.do(at(issuer.DefaultRevocationPath, "token="+raw)); w.Code != 200 {
			t.Errorf("%s: %d %s", id, w.Code, w.Body)
		}
	}
	if got := strings.Join(revocations.ids, " "); got != "ahead" {
		t.Errorf("revoked: %q", got)
	}
}

type noted struct{ ids []string }

func (n *noted) Revoke(_ context.Context, jti string, _ int64) error {
	n.ids = append(n.ids, jti)
	return nil
}

// Where the store does not answer, nothing is promised.
func TestRevocationWithoutStore(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(c *issuer.Config, _ *issuer.Paths) { c.Revocations = noStore{} })
	w := s.do(at(issuer.DefaultRevocationPath, "token="+s.token(batch(""))))
	if got := read(t, w); w.Code != 503 || got.Error != "temporarily_unavailable" || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "disk") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

type noStore struct{}

func (noStore) Revoke(context.Context, string, int64) error { return errors.New("the disk is full") }
