package caddymodule_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// PUT says everything, PATCH what differs (RFC 7396).
func TestAdminChangesClient(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	s.mustClient(201, "POST", "", `{"client_id":"a","name":"A","scopes":["orders:read"],"claims":{"team":"x","site":"y"},"token_lifetime":"10m"}`)
	for _, step := range []struct {
		method, body string
		want         adminClient
	}{
		{"PATCH", `{}`, adminClient{Name: "A", Scopes: []string{"orders:read"}, Claims: map[string]string{"team": "x", "site": "y"}, Lifetime: "10m0s"}},
		{"PATCH", `{"name":null,"claims":{"team":null,"more":"z"},"scopes":["orders:write"]}`,
			adminClient{Scopes: []string{"orders:write"}, Claims: map[string]string{"site": "y", "more": "z"}, Lifetime: "10m0s"}},
		{"PATCH", `{"claims":null,"token_lifetime":null,"disabled":true}`, adminClient{Scopes: []string{"orders:write"}, Disabled: true}},
		{"PATCH", `{"disabled":null,"unknown":null}`, adminClient{Error: "unknown"}},
		{"PATCH", `{"disabled":null}`, adminClient{Scopes: []string{"orders:write"}}},
		{"PATCH", `{"claims":{"scope":"x"}}`, adminClient{Error: "claims.scope"}},
		{"PATCH", `{"claims":["x"]}`, adminClient{Error: "claims: expected an object of texts"}},
		{"PATCH", `{"client_id":"b"}`, adminClient{Error: `unknown member "client_id"`}},
		{"PATCH", `{"token_lifetime":"0s"}`, adminClient{Error: "token_lifetime"}},
		{"PUT", `{"client_id":"b"}`, adminClient{Error: "client_id: expected that of the path"}},
		{"PUT", `{"client_id":"a","roles":["clerk"]}`, adminClient{Roles: []string{"clerk"}}},
		{"PUT", `{"require":"mtls","no_secret":true}`, adminClient{Error: `unknown member "no_secret"`}},
		{"PUT", `{"require":"mtls"}`, adminClient{Require: "mtls"}},
		{"PUT", `{}`, adminClient{}},
	} {
		status, _, got := s.clientAt(step.method, "/a", step.body)
		if step.want.Error != "" {
			if status != 400 || !strings.Contains(got.Error, step.want.Error) {
				t.Errorf("%s %s: %d %s", step.method, step.body, status, got.Error)
			}
			continue
		}
		got.Made, got.Changed, got.Secrets, got.Origin, got.ID = time.Time{}, time.Time{}, nil, "", ""
		if status != 200 || fmt.Sprint(got) != fmt.Sprint(step.want) {
			t.Errorf("%s %s: %d\ngot  %+v\nwant %+v", step.method, step.body, status, got, step.want)
		}
	}
	s.mustClient(200, "PATCH", "/a", `{"name":"x"}`, "Content-Type", "application/json")
	r, _ := http.NewRequestWithContext(t.Context(), "PATCH", "http://"+s.admin+"/oauth2/clients/a", strings.NewReader(`{"name":"y"}`))
	r.Header.Set("Content-Type", "application/merge-patch+json")
	if status, _, body := s.send(r); status != 200 || !strings.Contains(body, `"name":"y"`) {
		t.Errorf("%d %s", status, body)
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		s.mustClient(404, method, "/nobody", `{}`)
		if got := s.mustClient(409, method, "/batch", `{}`); !strings.Contains(got.Error, "stands in the configuration") {
			t.Error(got.Error)
		}
	}
}

// Two operators do not undo what the other did (RFC 9110 section 13).
func TestAdminConditions(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	s.mustClient(201, "POST", "", `{"client_id":"a"}`)
	for i, step := range []struct {
		method, field, value string
		want                 int
	}{
		{"GET", "If-None-Match", `"1"`, 304},
		{"GET", "If-None-Match", `"9", W/"1"`, 304},
		{"GET", "If-None-Match", `"2"`, 200},
		{"PATCH", "If-Match", `"2"`, 412},
		{"PATCH", "If-Match", `W/"1"`, 412},
		{"PATCH", "If-Match", ``, 412},
		{"PATCH", "If-Match", `"7", "1"`, 200},
		{"PUT", "If-Match", `"1"`, 412},
		{"PUT", "If-Match", `"2"`, 200},
		{"PUT", "If-Match", `*`, 200},
		{"PUT", "If-None-Match", `*`, 412},
		{"PATCH", "If-None-Match", `"4"`, 412},
		{"PATCH", "If-None-Match", `"1"`, 200},
		{"DELETE", "If-Match", `"4"`, 412},
		{"DELETE", "If-Match", `"5"`, 200},
	} {
		body := ""
		if step.method == "PUT" || step.method == "PATCH" {
			body = `{"name":"` + fmt.Sprint(i) + `"}`
		}
		if status, _, answer := s.clientAt(step.method, "/a", body, step.field, step.value); status != step.want {
			t.Errorf("%s %s %s: %d %s, expected %d", step.method, step.field, step.value, status, answer.Error, step.want)
		}
	}
	// Made again, it has no tag that it had before.
	if _, header, _ := s.clientAt("POST", "", `{"client_id":"a"}`); header.Get("ETag") != `"7"` {
		t.Errorf("got %s", header.Get("ETag"))
	}
}

// Disabling, removing and narrowing takes effect at the next request, and what was
// void stays so.
func TestAdminTakesTokensAway(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	made := s.mustClient(201, "POST", "", `{"client_id":"a","scopes":["orders:read","orders:write"],"resources":["https://b.example.com"]}`)
	fresh := func() string { return s.tokenFor("a", made.Secret) }
	first := fresh()
	s.expect("/", first, 200)
	s.mustClient(200, "PATCH", "/a", `{"disabled":true}`)
	s.expect("/", first, 401)
	s.mustClient(200, "PATCH", "/a", `{"disabled":false}`)
	s.expect("/", first, 401)
	second := fresh()
	s.expect("/", second, 200)
	s.mustClient(200, "PATCH", "/a", `{"scopes":["orders:read"]}`)
	s.expect("/", second, 401)
	third := fresh()
	s.expect("/", third, 200)
	s.mustClient(200, "DELETE", "/a", "")
	s.expect("/", third, 401)
	s.mustClient(404, "GET", "/a", "")
	s.mustClient(404, "DELETE", "/a", "")
	made = s.mustClient(201, "POST", "", `{"client_id":"a","scopes":["orders:read","orders:write"],"resources":["https://b.example.com"]}`)
	for _, old := range []string{first, second, third} {
		s.expect("/", old, 401)
	}
	s.expect("/", fresh(), 200)
	if made.SecretID != "2" {
		t.Errorf("the id of a secret was given again: %s", made.SecretID)
	}
	s.mustReload(clientOptions, gateOfB+"\nrespond /x 200")
	for _, old := range []string{first, second, third} {
		s.expect("/", old, 401)
	}
}

// A client that has what the configuration no longer declares can be disabled, and
// what it has can be taken, but nothing of the kind be given.
func TestAdminTakesFromUndeclared(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	s.mustClient(201, "POST", "", `{"client_id":"a","roles":["clerk"],"scopes":["orders:read","orders:write"],"resources":["https://b.example.com"]}`)
	s.mustReload(batchClient, "oauth2_gate read")
	s.mustClient(200, "PATCH", "/a", `{"disabled":true}`)
	s.mustClient(200, "PATCH", "/a", `{"scopes":["orders:read"]}`)
	s.mustClient(200, "PATCH", "/a", `{"roles":null}`)
	if got := s.mustClient(400, "PATCH", "/a", `{"roles":["clerk"]}`); !strings.Contains(got.Error, "clerk") {
		t.Error(got.Error)
	}
}
