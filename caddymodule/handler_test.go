package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"
)

// What reaches the API, and what the placeholders say (contract section 5).
func TestRequestThatPasses(t *testing.T) {
	s := newSite(t)
	s.load(batchClient+"\n", `oauth2_gate read
	request_header X-Seen "{http.auth.user.id}|{http.auth.user.scope}|{http.auth.user.issuer}|{http.auth.user.claims.aud}|{http.auth.user.jti}"`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/orders?x=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token("read write"))
	r.Header["X-Client-Id"] = []string{"root", "root"}
	r.Header["X_client_id"] = []string{"root"}
	r.Header["Dpop"] = []string{"proof"}
	if status, _, body := s.send(r); status != 200 || body != "from the API" {
		t.Fatalf("got %d %s", status, body)
	}
	seen := s.upstream.take()[0]
	if seen.RequestURI != "/orders?x=1" || len(seen.Header["X-Client-Id"]) != 1 || seen.Header.Get("X-Client-Id") != "batch" ||
		seen.Header.Get("X-Client-Scope") != "read write" || seen.Header.Get("X-Client-Issuer") != s.url {
		t.Errorf("identity: %s %v", seen.RequestURI, seen.Header)
	}
	for name := range seen.Header {
		if name == "Authorization" || name == "Dpop" || strings.Contains(name, "_") {
			t.Errorf("%s reached the API", name)
		}
	}
}

// Placeholders must be there for what runs behind the gate, in its order.
func TestPlaceholders(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, `route {
		oauth2_issuer
		oauth2_gate read
		respond "{http.auth.user.id}|{http.auth.user.scope}|{http.auth.user.issuer}|{http.auth.user.claims.aud}|{http.auth.user.claims.none}"
	}`)
	_, body := s.expect("/", s.token("read"), 200)
	if want := "batch|read|" + s.url + "|" + s.url + "|"; body != want {
		t.Fatalf("got %s, want %s", body, want)
	}
}

// No placeholder and no variable shows the token that the gate took away.
func TestPlaceholdersShowNoToken(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, `route {
		oauth2_issuer
		oauth2_gate read
		vars copied {http.vars.oauth2.caller}
		header X-Vars "{http.vars.oauth2.caller}|{http.vars.copied}|{http.request.header.Authorization}"
		@shown vars_regexp {http.vars.oauth2.caller} .
		respond @shown shown
		respond "hidden"
	}`)
	header, body := s.expect("/", s.token("read"), 200)
	if header.Get("X-Vars") != "||" || body != "hidden" {
		t.Fatalf("got %q %q", header.Get("X-Vars"), body)
	}
}

// Two gates on the way of a request both judge its token, although the first
// keeps it from what follows.
func TestTwoGates(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, `route {
		oauth2_issuer
		oauth2_gate read
		oauth2_gate {
			realm inner
			public GET /open
			require GET /closed write
		}
		respond "{http.auth.user.id}"
	}`)
	if _, body := s.expect("/open", s.token("read"), 200); body != "batch" {
		t.Errorf("got %q", body)
	}
	s.expect("/closed", s.token("read write"), 200)
	header, _ := s.expect("/closed", s.token("read"), 403)
	if !strings.Contains(header.Get("WWW-Authenticate"), `realm="inner"`) {
		t.Error(header.Get("WWW-Authenticate"))
	}
	s.expect("/open", "", 401)
}

// A refusal goes to handle_errors where the site has one, and is JSON elsewhere.
func TestHandleErrors(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, "oauth2_gate read")
	header, body := s.expect("/", "", 401)
	if body != `{"error":"unauthorized","error_description":"an access token is needed","error_id":"ID"}` ||
		header.Get("Content-Type") != "application/json" || header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %s %v", body, header)
	}
	s.load(batchClient, `oauth2_gate root
	handle_errors {
		respond "{http.error.status_code} {http.oauth2.error}: {http.oauth2.error_description}"
	}`)
	header, body = s.expect("/", s.token("read"), 403)
	if body != "403 insufficient_scope: the access token lacks a scope that is needed" ||
		!strings.Contains(header.Get("WWW-Authenticate"), `scope="root"`) {
		t.Errorf("got %s %v", body, header)
	}
}

// The error routes of all sites of a server stand in one list: a site without
// any answers JSON although its neighbour has some.
func TestHandleErrorsOfAnotherSite(t *testing.T) {
	s := newSite(t)
	caddyfile := strings.Replace(s.config(batchClient, "oauth2_gate read"), s.url+" {", strings.Replace(s.url, "127.0.0.1", "other.localhost", 1)+` {
	handle_errors {
		respond "of the other site"
	}
}
`+s.url+" {", 1)
	s.loadText(caddyfile)
	if _, body := s.expect("/", "", 401); !strings.HasPrefix(body, `{"error"`) {
		t.Fatalf("got %q", body)
	}
}

// The metadata of the resource is answered without a token, also where the
// gate has a matcher and does not see the request (RFC 9728 section 3).
func TestResourceMetadata(t *testing.T) {
	s := newSite(t)
	const path = "/.well-known/oauth-protected-resource"
	for _, directives := range []string{"oauth2_gate read", "oauth2_gate /api/* read"} {
		s.replace(batchClient, directives)
		header, body := s.expect(path, "", 200)
		if header.Get("Content-Type") != "application/json" || !strings.Contains(body, `"resource":"`+s.url+`"`) {
			t.Errorf("%s: %s", directives, body)
		}
		s.expect("/api/x", "", 401)
	}
	s.expect("/outside", "", 200)
}

// Clients know nothing of rewrites: they look where the challenge says. A
// rewrite from or to that place shows the document and nothing else.
func TestResourceMetadataBehindARewrite(t *testing.T) {
	s := newSite(t)
	const path = "/.well-known/oauth-protected-resource"
	for _, c := range []struct {
		directives, path string
		status           int
	}{
		{"rewrite * /v1{uri}\noauth2_gate read", path, 200},
		{"rewrite * /v1{uri}\noauth2_gate /v1/* read", path, 200},
		{"rewrite * /v1{uri}\noauth2_gate read", path + "/x", 401},
		{"rewrite * /v1{uri}\noauth2_gate read", "/v1" + path, 401},
		{"rewrite * /v1{uri}\noauth2_gate read", "/orders", 401},
		{"rewrite " + path + " /orders\noauth2_gate read", path, 200},
		{"rewrite /orders " + path + "\noauth2_gate read", "/orders", 200},
		{"rewrite /orders " + path + "/x\noauth2_gate read", "/orders", 401},
		{"rewrite /orders /v1" + path + "\noauth2_gate read", "/orders", 401},
	} {
		s.replace(batchClient, c.directives)
		if _, body := s.expect(c.path, "", c.status); (c.status == 200) != strings.Contains(body, `"resource":"`+s.url+`"`) {
			t.Errorf("%s: %s: %s", c.directives, c.path, body)
		}
	}
	if seen := s.upstream.take(); len(seen) != 0 {
		t.Errorf("%d requests reached the API without a token", len(seen))
	}
}

// The resource's metadata tells of bound tokens as soon as a client is made whose
// tokens are (RFC 9728 section 2), as the issuer's does.
func TestResourceMetadataFollowsClients(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	tells := func(want bool) {
		t.Helper()
		for _, path := range []string{"/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server"} {
			if _, body := s.expect(path, "", 200); strings.Contains(body, `"tls_client_certificate_bound_access_tokens":true`) != want {
				t.Errorf("%s, expected %t: %s", path, want, body)
			}
		}
	}
	tells(false)
	s.mustClient(201, "POST", "", `{"client_id":"bound","scopes":["read"],"require":"mtls"}`)
	tells(true)
	s.mustClient(200, "PATCH", "/bound", `{"disabled":true}`)
	tells(false)
	s.mustClient(200, "PATCH", "/bound", `{"disabled":false}`)
	tells(true)
	s.mustClient(200, "DELETE", "/bound", "")
	tells(false)
}
