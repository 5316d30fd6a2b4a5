package issuer_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// What a good request gets (RFC 6749 sections 4.4.3 and 5.1, RFC 9068 section 2.2).
func TestTokenIsIssued(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := s.do(batch(""))
	got := read(t, w)
	if w.Code != 200 || got.TokenType != "Bearer" || string(got.ExpiresIn) != "3600" || got.Scope == nil ||
		*got.Scope != "orders:read orders:write" || got.RefreshToken != nil || w.Header().Get("Pragma") != "no-cache" {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	claims := s.claims(got.AccessToken)
	if claims.Issuer != issuerURL || claims.Subject != "batch" || claims.ClientID != "batch" ||
		!slices.Equal(claims.Audience, []string{ordersAPI}) || claims.IssuedAt != start.Unix() ||
		claims.Expires != start.Unix()+3600 || len(claims.ID) < 22 || claims.Roles != nil || len(claims.Extra) != 0 {
		t.Fatalf("got %+v", claims)
	}
	second := s.claims(read(t, s.do(batch(""))).AccessToken)
	if second.ID == claims.ID {
		t.Fatal("two tokens with one jti")
	}
	event := s.events.last()
	if event.Err != nil || event.ClientID != "batch" || event.SecretID != "1" || event.TokenID != second.ID ||
		event.Address != "192.0.2.7" || event.KeyID == "" || event.Method != "client_secret_basic" {
		t.Fatalf("event %+v", event)
	}
}

// Everything that configuration says of a client shows in its tokens.
func TestClientShapesToken(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	got := read(t, s.do(basic("a%3Ab", "p%25q%2Br+s+and+some+more", "grant_type=client_credentials")))
	claims := s.claims(got.AccessToken)
	if claims.Subject != "urn:example:ab" || claims.ClientID != "a:b" || !slices.Equal(claims.Roles, []string{"clerk"}) ||
		claims.Extra["tenant"] != "acme" || string(got.ExpiresIn) != "90" || claims.Expires != start.Unix()+90 {
		t.Fatalf("got %+v %s", claims, got.ExpiresIn)
	}
}

// Scope and resource (RFC 6749 section 3.3, RFC 8707 section 2).
func TestScopeAndResource(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	const orders, stock = "resource=https%3A%2F%2Fapi.example%2Forders", "resource=https%3A%2F%2Fapi.example%2Fstock"
	for _, c := range []struct {
		name, body string
		scope      string
		audience   []string
		lifetime   string
		code       string
	}{
		{"left out: all at the first resource", "", "orders:read orders:write", []string{ordersAPI}, "3600", ""},
		{"without a value: the same", "scope=&resource=", "orders:read orders:write", []string{ordersAPI}, "3600", ""},
		{"one of them", "scope=orders:write", "orders:write", []string{ordersAPI}, "3600", ""},
		{"in the order of the request, each once", "scope=orders:write+orders:read+orders:write", "orders:write orders:read", []string{ordersAPI}, "3600", ""},
		{"alias", "scope=urn:opc:idm:__myscopes__", "orders:read orders:write", []string{ordersAPI}, "3600", ""},
		{"alias and a scope", "scope=urn:opc:idm:__myscopes__+orders:write", "orders:write orders:read", []string{ordersAPI}, "3600", ""},
		{"alias and one not granted", "scope=urn:opc:idm:__myscopes__+root", "", nil, "", "invalid_scope"},
		{"another resource", stock, "stock:read", []string{stockAPI}, "600", ""},
		{"two resources: the shorter life", orders + "&" + stock, "orders:read orders:write stock:read", []string{ordersAPI, stockAPI}, "600", ""},
		{"a resource twice", stock + "&" + stock, "stock:read", []string{stockAPI}, "600", ""},
		{"granted, but not at this resource", "scope=stock:read", "", nil, "", "invalid_scope"},
		{"not granted", "scope=root", "", nil, "", "invalid_scope"},
		{"in capitals", "scope=Orders:Read", "", nil, "", "invalid_scope"},
		{"two spaces", "scope=orders:read++orders:write", "", nil, "", "invalid_scope"},
		{"leading space", "scope=+orders:read", "", nil, "", "invalid_scope"},
		{"quote", "scope=%22", "", nil, "", "invalid_scope"},
		{"backslash", "scope=%5C", "", nil, "", "invalid_scope"},
		{"control character", "scope=orders:read%0A", "", nil, "", "invalid_scope"},
		{"not ASCII", "scope=%C3%A4", "", nil, "", "invalid_scope"},
		{"NUL", "scope=%00", "", nil, "", "invalid_scope"},
		{"unknown resource", "resource=https%3A%2F%2Fother", "", nil, "", "invalid_target"},
		{"resource with a slash more", orders + "%2F", "", nil, "", "invalid_target"},
		{"relative resource", "resource=%2Forders", "", nil, "", "invalid_target"},
		{"resource with fragment", orders + "%23x", "", nil, "", "invalid_target"},
		{"one good and one unknown resource", orders + "&resource=urn%3Ax", "", nil, "", "invalid_target"},
		{"resource that is no URI", "resource=%3A%3A", "", nil, "", "invalid_target"},
		{"unknown parameters are ignored", "audience=x&foo=bar&username=root", "orders:read orders:write", []string{ordersAPI}, "3600", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := s.do(batch(c.body))
			got := read(t, w)
			if c.code != "" {
				if w.Code != 400 || got.Error != c.code || got.AccessToken != "" {
					t.Fatalf("got %d %s", w.Code, w.Body)
				}
				return
			}
			if w.Code != 200 {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			claims := s.claims(got.AccessToken)
			if *got.Scope != c.scope || claims.Scope.String() != c.scope || !slices.Equal(claims.Audience, c.audience) || string(got.ExpiresIn) != c.lifetime {
				t.Fatalf("got %q %v %s", *got.Scope, claims.Audience, got.ExpiresIn)
			}
		})
	}
}

// A resource that one client has is not another's.
func TestResourceOfOthers(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := s.do(basic("a%3Ab", "p%25q%2Br+s+and+some+more", "grant_type=client_credentials&resource="+stockAPI))
	if got := read(t, w); w.Code != 400 || got.Error != "invalid_target" {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
}

// The form of the request (RFC 6749 sections 3.2 and 4.4.2, appendix B).
func TestRequestForm(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	const good = "grant_type=client_credentials&client_id=batch&client_secret=a+secret+of+the+batch+client"
	withType := func(mediaType ...string) *http.Request {
		r := form(good)
		r.Header["Content-Type"] = mediaType
		return r
	}
	query := func(query string) *http.Request {
		r := form(good)
		r.URL.RawQuery = query
		return r
	}
	method := func(method string) *http.Request {
		r := form(good)
		r.Method = method
		return r
	}
	unknownLength := form(good + "&pad=" + strings.Repeat("x", 70_000))
	unknownLength.ContentLength = -1
	for _, c := range []struct {
		name   string
		r      *http.Request
		status int
		code   string
	}{
		{"good", form(good), 200, ""},
		{"charset", withType("application/x-www-form-urlencoded; charset=UTF-8"), 200, ""},
		{"capitals", withType("Application/X-WWW-Form-Urlencoded"), 200, ""},
		{"a broken parameter of the type", withType("application/x-www-form-urlencoded; charset"), 200, ""},
		{"JSON", withType("application/json"), 400, "invalid_request"},
		{"multipart", withType("multipart/form-data; boundary=x"), 400, "invalid_request"},
		{"no type", withType(), 400, "invalid_request"},
		{"two types", withType("application/x-www-form-urlencoded", "application/json"), 400, "invalid_request"},
		{"nonsense type", withType(";;;"), 400, "invalid_request"},
		{"GET", method("GET"), 405, "invalid_request"},
		{"HEAD", method("HEAD"), 405, "invalid_request"},
		{"PUT", method("PUT"), 405, "invalid_request"},
		{"OPTIONS", method("OPTIONS"), 405, "invalid_request"},
		{"no grant_type", form("client_id=batch&client_secret=a+secret+of+the+batch+client"), 400, "invalid_request"},
		{"empty grant_type", form("grant_type=&client_id=batch"), 400, "invalid_request"},
		{"another grant", form("grant_type=password&username=a&password=b"), 400, "unsupported_grant_type"},
		{"grant in capitals", form("grant_type=CLIENT_CREDENTIALS"), 400, "unsupported_grant_type"},
		{"empty body", form(""), 400, "invalid_request"},
		{"bad escape", form(good + "&x=%zz"), 400, "invalid_request"},
		{"semicolon", form(good + ";x=y"), 400, "invalid_request"},
		{"invalid UTF-8", form(good + "&scope=%ff"), 400, "invalid_request"},
		{"grant_type twice", form(good + "&grant_type=client_credentials"), 400, "invalid_request"},
		{"client_id twice", form(good + "&client_id=batch"), 400, "invalid_request"},
		{"scope twice", form(good + "&scope=orders:read&scope=orders:read"), 400, "invalid_request"},
		{"scope twice, both empty", form(good + "&scope=&scope="), 400, "invalid_request"},
		{"unknown parameter twice", form(good + "&x=1&x=2"), 400, "invalid_request"},
		{"64 KiB", form(good + "&pad=" + strings.Repeat("x", 64<<10-len(good)-5)), 200, ""},
		{"64 KiB and one", form(good + "&pad=" + strings.Repeat("x", 64<<10-len(good)-4)), 413, "invalid_request"},
		{"large, length unknown", unknownLength, 413, "invalid_request"},
		{"query is ignored", query("scope=root&grant_type=password&x=%zz"), 200, ""},
		{"secret in the query", query("client_secret=x"), 400, "invalid_request"},
		{"client_id in the query", query("client_id=batch"), 400, "invalid_request"},
		{"assertion in the query", query("client_assertion=x"), 400, "invalid_request"},
		{"type of an assertion in the query", query("client_assertion_type=x"), 400, "invalid_request"},
		{"secret in the query, bad escape", query("client_secret=p%q"), 400, "invalid_request"},
		{"secret in the query, semicolon in it", query("client_secret=abc;def"), 400, "invalid_request"},
		{"secret in the query behind a semicolon", query("x=1;client_secret=abc"), 400, "invalid_request"},
		{"secret in the query behind a bad escape", query("x=%zz&%=%&client_secret=abc"), 400, "invalid_request"},
		{"secret in the query, empty", query("client_secret="), 400, "invalid_request"},
		{"secret in the query, no value", query("client_secret"), 400, "invalid_request"},
		{"secret in the query, no value, among others", query("a&client_secret&b"), 400, "invalid_request"},
		{"secret in the query, encoded name", query("client%5Fsecret=abc"), 400, "invalid_request"},
		{"secret in the query, bad escape in the name", query("client_secret%zz=abc"), 400, "invalid_request"},
		{"secret in the query, cut escape in the name", query("client_secret%=abc"), 400, "invalid_request"},
		{"secret in the query, cut escape of one digit", query("%63lient_secret%5=abc"), 400, "invalid_request"},
		{"another name in the query", query("client_secrets=x&xclient_id=x&=client_id&CLIENT_ID"), 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := s.do(c.r)
			if got := read(t, w); w.Code != c.status || got.Error != c.code {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			if c.status == 405 && w.Header().Get("Allow") != "POST" {
				t.Fatalf("Allow %q", w.Header().Get("Allow"))
			}
		})
	}
}

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

// Guessing ends with 429 for that client at that address, the right secret
// included, and whether or not there is such a client (contract section 3).
func TestTooManyFailures(t *testing.T) {
	t.Parallel()
	const grant = "grant_type=client_credentials"
	good, wrong := batch(""), func(id string) *http.Request { return basic(id, "wrong", grant) }
	for _, id := range []string{"batch", "nobody", "off"} {
		s := newServer(t, func(c *issuer.Config, _ *issuer.Paths) {
			c.FailureLimit = client.FailureLimit{Count: 3, Per: time.Minute}
		})
		for range 3 {
			if w := s.do(wrong(id)); w.Code != 401 {
				t.Fatalf("%s: %d", id, w.Code)
			}
		}
		w := s.do(wrong(id))
		if got := read(t, w); w.Code != 429 || got.Error == "" || w.Header().Get("Retry-After") != "20" || w.Header().Get("WWW-Authenticate") != "" {
			t.Fatalf("%s: %d %s %v", id, w.Code, w.Body, w.Header())
		}
		if event := s.events.last(); event.Err.Reason != "too_many_failures" || event.ClientID != id {
			t.Errorf("%s: event %+v", id, event)
		}
		if id != "batch" {
			if w := s.do(batch("")); w.Code != 200 {
				t.Errorf("another client is blocked too: %d", w.Code)
			}
			continue
		}
		if w := s.do(good); w.Code != 429 {
			t.Errorf("the right secret passes: %d", w.Code)
		}
		elsewhere := httptest.NewRecorder()
		s.handlers[issuer.DefaultTokenPath](elsewhere, batch(""), issuer.Peer{Address: "192.0.2.8"})
		if elsewhere.Code != 200 {
			t.Errorf("locked out from elsewhere: %d", elsewhere.Code)
		}
	}
	// Who names no client guesses at none.
	s := newServer(t, func(c *issuer.Config, _ *issuer.Paths) {
		c.FailureLimit = client.FailureLimit{Count: 1, Per: time.Minute}
	})
	for range 3 {
		if w := s.do(form(grant)); w.Code != 401 {
			t.Errorf("nobody: %d", w.Code)
		}
	}
}

// No key yet, or no resource: never a token without them.
func TestWithoutWhatATokenNeeds(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(c *issuer.Config, _ *issuer.Paths) { c.Keys = noKeys{} })
	w := s.do(batch(""))
	if got := read(t, w); w.Code != 503 || got.Error != "temporarily_unavailable" || w.Header().Get("Retry-After") != "1" {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
}

type noKeys struct{}

func (noKeys) Signer() (*token.Signer, error)           { return nil, http.ErrNotSupported }
func (noKeys) Key(string) (token.VerificationKey, bool) { return token.VerificationKey{}, false }
func (noKeys) JWKS() (body []byte, etag string)         { return nil, "" }

// An address that fails for many clients is answered 429 in the end; who shares
// it and is right gets a token all the same, and so does who comes from elsewhere.
func TestTooManyFailuresOfAnAddress(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(c *issuer.Config, _ *issuer.Paths) {
		c.FailureLimit = client.FailureLimit{Count: 1, Per: time.Minute}
	})
	codes := make(map[int]int)
	for i := range 60 {
		w := s.do(basic(fmt.Sprint("id", i), "wrong", grant))
		codes[w.Code]++
		if w.Code == 429 && (read(t, w).Error == "" || w.Header().Get("Retry-After") == "") {
			t.Fatalf("%s %v", w.Body, w.Header())
		}
	}
	if codes[401] != 50 || codes[429] != 10 {
		t.Fatalf("got %v", codes)
	}
	if w := s.do(form(grant)); w.Code != 429 {
		t.Errorf("who names no client: %d", w.Code)
	}
	if w := s.do(batch("")); w.Code != 200 {
		t.Errorf("who is right at the same address: %d", w.Code)
	}
	if w := s.from(issuer.Peer{Address: "192.0.2.8"}, form(grant)); w.Code != 401 {
		t.Errorf("elsewhere: %d", w.Code)
	}
}
