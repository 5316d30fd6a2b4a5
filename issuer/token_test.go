package issuer_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer"
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

func (noKeys) Signer() (*token.Signer, error)             { return nil, http.ErrNotSupported }
func (noKeys) Key(string) (token.VerificationKey, bool)   { return token.VerificationKey{}, false }
func (noKeys) KeyOf(string) (token.VerificationKey, bool) { return token.VerificationKey{}, false }
func (noKeys) JWKS() (body []byte, etag string)           { return nil, "" }
