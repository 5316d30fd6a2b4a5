package caddymodule_test

import (
	"strings"
	"testing"
)

const unauthorized = `{"error":"unauthorized","error_description":"an access token is needed","error_id":"ID"}`

// A refusal goes to handle_errors where that has an answer for this very error,
// and is JSON elsewhere: never an empty body (contract section 5).
func TestWhichRefusalsGoToHandleErrors(t *testing.T) {
	s := newSite(t)
	const page = "page 401 unauthorized"
	const respond = `respond "page {err.status_code} {http.oauth2.error}"`
	for name, c := range map[string]struct{ site, errors, want string }{
		"all":               {"", "handle_errors {\n" + respond + "\n}", page},
		"this status":       {"", "handle_errors 401 {\n" + respond + "\n}", page},
		"this class":        {"", "handle_errors 4xx {\n" + respond + "\n}", page},
		"another status":    {"", "handle_errors 404 {\n" + respond + "\n}", unauthorized},
		"another class":     {"", "handle_errors 5xx {\n" + respond + "\n}", unauthorized},
		"others and this":   {"", "handle_errors 404 {\nrespond other\n}\nhandle_errors 401 {\n" + respond + "\n}", page},
		"another path":      {"", "handle_errors {\n" + strings.Replace(respond, " ", " /other ", 1) + "\n}", unauthorized},
		"no answer":         {"", "handle_errors {\nheader X-Page yes\n}", unauthorized},
		"header and answer": {"", "handle_errors {\nheader X-Page yes\n" + respond + "\n}", page},
		"this code":         {"", "handle_errors {\n@it expression `{http.oauth2.error} == \"unauthorized\"`\n" + strings.Replace(respond, " ", " @it ", 1) + "\n}", page},
		"another code":      {"", "handle_errors {\n@it expression `{http.oauth2.error} == \"x\"`\n" + strings.Replace(respond, " ", " @it ", 1) + "\n}", unauthorized},
		"the second handle": {"", "handle_errors {\nhandle /other {\nrespond other\n}\nhandle {\n" + respond + "\n}\n}", page},
		"only one handle":   {"", "handle_errors {\nhandle /orders {\nvars a b\n}\nhandle {\n" + respond + "\n}\n}", unauthorized},
		"rewritten there":   {"", "handle_errors {\nrewrite * /page\n" + strings.Replace(respond, " ", " /page ", 1) + "\n}", page},

		// Caddy takes rewrites back before it runs its error routes.
		"path, rewritten before":        {"rewrite * /v1{uri}", "handle_errors {\n" + strings.Replace(respond, " ", " /orders ", 1) + "\n}", page},
		"placeholder, rewritten before": {"rewrite * /v1{uri}", "handle_errors {\n@it expression `{path} == \"/orders\"`\n" + strings.Replace(respond, " ", " @it ", 1) + "\n}", page},
		"path after the rewrite":        {"rewrite * /v1{uri}", "handle_errors {\n" + strings.Replace(respond, " ", " /v1/* ", 1) + "\n}", unauthorized},
		"method, changed before":        {"method PUT", "handle_errors {\n@it method GET\n" + strings.Replace(respond, " ", " @it ", 1) + "\n}", page},
	} {
		s.replace(batchClient, c.site+"\noauth2_gate read\n"+c.errors)
		header, body := s.expect("/orders", "", 401)
		if body != c.want || header.Get("WWW-Authenticate") == "" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %q %v", name, body, header)
		}
	}
	if seen := s.upstream.take(); len(seen) != 0 {
		t.Errorf("%d requests reached the API", len(seen))
	}
}

// The error routes of a site with a path stand behind a matcher of that path,
// and a rewrite in the site must not lead past them.
func TestHandleErrorsOfASiteWithAPath(t *testing.T) {
	s := newSite(t)
	caddyfile := strings.Replace(s.config(batchClient, "rewrite * /v1{uri}\noauth2_gate read\nhandle_errors {\nrespond page\n}"),
		s.url+" {", s.url+"/shop/* {", 1)
	s.loadText(caddyfile)
	if _, body := s.expect("/shop/orders", "", 401); body != "page" {
		t.Errorf("got %q", body)
	}
}

// Inside handle_errors there is no other place for an error: Caddy would
// answer with the status of the first one and an empty body.
func TestGateInsideHandleErrors(t *testing.T) {
	s := newSite(t)
	s.load(batchClient, "error /broken 500\nhandle_errors {\noauth2_gate write\nrespond \"page {err.status_code}\"\n}")
	header, body := s.expect("/broken", "", 401)
	if body != unauthorized || header.Get("WWW-Authenticate") == "" {
		t.Errorf("got %q %v", body, header)
	}
	if _, body := s.expect("/broken", s.token("read"), 403); !strings.Contains(body, "insufficient_scope") {
		t.Errorf("got %q", body)
	}
	if _, body := s.expect("/broken", s.token("write"), 500); body != "page 500" {
		t.Errorf("got %q", body)
	}
}
