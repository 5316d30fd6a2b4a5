package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"
)

// Of a member that stands twice, no reader may take one without a word: an operator who
// disables a client must not enable it. Names are compared with their capitals, and
// nothing is changed.
func TestAdminBodiesAreReadStrictly(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	made := s.mustClient(http.StatusCreated, "POST", "", `{"client_id":"a","scopes":["read"]}`)
	token := s.tokenFor("a", made.Secret)
	for _, c := range []struct{ method, path, body, says string }{
		{"PATCH", "clients/a", `{"disabled":true,"disabled":false}`, "twice"},
		{"PATCH", "clients/a", `{"disabled":true,"d\u0069sabled":false}`, "twice"},
		{"PATCH", "clients/a", `{"claims":{"team":"x","team":"y"}}`, "twice"},
		{"PATCH", "clients/a", `{"Name":"x"}`, `unknown member "Name"`},
		{"PATCH", "clients/a", "{\"name\":\"\xff\"}", "one JSON object"},
		{"PUT", "clients/a", `{"scopes":["read"],"scopes":["write"]}`, "twice"},
		{"POST", "clients", `{"client_id":"b","client_id":"c"}`, "twice"},
		{"POST", "clients/a/secrets", `{"expires":"1h","expires":"90d"}`, "twice"},
		{"POST", "clients/a/secrets", `{"Expires":"1h"}`, `unknown member "Expires": expected one of expires`},
		{"POST", "clients/a/secrets", `{"expires":7}`, "expires: expected a text"},
		{"POST", "revocations", `{"token":"` + token + `","token":"x"}`, "twice"},
		{"POST", "revocations", `{"Token":"` + token + `"}`, `unknown member "Token"`},
		{"POST", "revocations", `{"jti":"x","JTI":"y"}`, `unknown member "JTI"`},
		{"POST", "revocations", `{"jti":[{"a":1,"a":1}]}`, "twice"},
		{"POST", "revocations", strings.Repeat(`{"jti":`, 9000), "one JSON object"},
		{"POST", "revocations", strings.Repeat(`[`, 30_000) + strings.Repeat(`]`, 30_000), "one JSON object"},
	} {
		var answer struct{ Error string }
		status, text := s.askJSON(c.method, "/oauth2/"+c.path, c.body, &answer)
		if status != http.StatusBadRequest || !strings.Contains(answer.Error, c.says) || strings.Contains(text, token) {
			t.Errorf("%s %s %.80s: %d %s", c.method, c.path, c.body, status, text)
		}
	}
	if after := s.mustClient(http.StatusOK, "GET", "/a", ""); after.Disabled || after.Name != "" || len(after.Secrets) != 1 {
		t.Errorf("changed all the same: %+v", after)
	}
	s.expect("/", token, 200)
}

// HEAD is answered wherever GET is (RFC 9110 section 9.1), as monitoring asks.
func TestAdminHead(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	for path, want := range map[string]int{
		"clients": 200, "clients/batch": 200, "clients/batch/secrets": 200, "keys": 200, "report": 200,
		"clients/nobody": 404, "keys/rotate": 405, "revocations": 405,
	} {
		status, header, body := s.ask("HEAD", "/oauth2/"+path)
		if status != want || body != "" || want == 405 && header.Get("Allow") != "POST" {
			t.Errorf("%s: %d %v %q", path, status, header, body)
		}
	}
}
