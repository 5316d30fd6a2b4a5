package caddymodule_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// A client is made, rotates its secret, is cut off and let in again, and is removed;
// each takes effect at the next request, also after a reload and a restart.
func TestAdminClientLife(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	made, _ := s.client("POST", "", `{"client_id":"job 1","name":"a job","scopes":["read"]}`, 201)
	if !client.IsGenerated(made.ClientSecret) || made.SecretID != "1" || made.Origin != "admin" || made.ID != "job 1" {
		t.Fatalf("%+v", made)
	}
	const job = "/job%201"
	token := s.tokenOf("job 1", made.ClientSecret, 200)
	s.expect("/orders", token, 200)

	second, _ := s.client("POST", job+"/secrets", "", 201)
	s.tokenOf("job 1", second.ClientSecret, 200)
	s.tokenOf("job 1", made.ClientSecret, 200)
	s.client("DELETE", job+"/secrets/1", "", 204)
	s.tokenOf("job 1", made.ClientSecret, 401)
	s.expect("/orders", token, 200) // a secret that goes takes no token along
	if again, _ := s.client("POST", job+"/secrets", `{"expires":"90d"}`, 201); again.SecretID != "3" {
		t.Errorf("%+v", again)
	}
	s.mustReload(batchClient, "oauth2_gate read\n\theader X-Other yes")
	s.expect("/orders", token, 200)

	s.client("PATCH", job, `{"disabled":true}`, 200)
	s.expect("/orders", token, 401)
	s.tokenOf("job 1", second.ClientSecret, 401)
	s.client("PATCH", job, `{"disabled":null}`, 200)
	s.expect("/orders", token, 401) // for ever
	fresh := s.tokenOf("job 1", second.ClientSecret, 200)
	s.expect("/orders", fresh, 200)

	s.client("PATCH", job, `{"scopes":["write"]}`, 200)
	s.expect("/orders", fresh, 401) // it carries what the client no longer has
	s.client("PATCH", job, `{"scopes":["read"]}`, 200)
	last := s.tokenOf("job 1", second.ClientSecret, 200)
	s.client("DELETE", job, "", 204)
	s.expect("/orders", last, 401)
	s.tokenOf("job 1", second.ClientSecret, 401)
	s.client("GET", job, "", 404)
	anew, _ := s.client("POST", "", `{"client_id":"job 1","scopes":["read"]}`, 201)
	s.expect("/orders", last, 401)
	s.expect("/orders", s.tokenOf("job 1", anew.ClientSecret, 200), 200)
}

// What cannot be is refused with the member's name, and changes nothing.
func TestAdminClientRefusals(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(`
		resource https://api.example.com {
			scopes read write
		}
		role clerk read`+batchClient, "oauth2_gate {\n\t\tresource https://api.example.com\n\t}")
	s.client("POST", "", `{"client_id":"job"}`, 201)
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "", `{}`, 400, "client_id"},
		{"POST", "", `{"client_id":" job"}`, 400, "client_id"},
		{"POST", "", `{"client_id":"x","scopes":["fly"]}`, 400, `"fly"`},
		{"POST", "", `{"client_id":"x","scopes":["a b"]}`, 400, "scopes"},
		{"POST", "", `{"client_id":"x","roles":["boss"]}`, 400, `unknown role "boss"`},
		{"POST", "", `{"client_id":"x","resources":["https://other.example.com"]}`, 400, "unknown resource"},
		{"POST", "", `{"client_id":"x","token_lifetime":"0s"}`, 400, "token_lifetime"},
		{"POST", "", `{"client_id":"x","token_lifetime":"soon"}`, 400, "soon"},
		{"POST", "", `{"client_id":"x","claims":{"iss":"me"}}`, 400, `"iss"`},
		{"POST", "", `{"client_id":"x","require":"hope"}`, 400, "require"},
		{"POST", "", `{"client_id":"x","introspect":"some"}`, 400, "introspect"},
		{"POST", "", `{"client_id":"x","allow_bridge":true,"require":"dpop"}`, 400, "allow_bridge"},
		{"POST", "", `{"client_id":"x","secret":"hunter2hunter2hunter2"}`, 400, "secret"},
		{"POST", "", `{"client_id":"x","name":7}`, 400, "name"},
		{"POST", "", `[]`, 400, "object"},
		{"POST", "", `{"client_id":"x"} {}`, 400, "body"},
		{"POST", "", `{"client_id":"x"`, 400, "body"},
		{"POST", "", `{"client_id":"x","name":"` + strings.Repeat("n", 1<<17) + `"}`, 413, "body"},
		{"POST", "", `{"client_id":"job"}`, 409, "already"},
		{"POST", "", `{"client_id":"batch"}`, 409, "configuration"},
		{"PUT", "/batch", `{}`, 409, "configuration"},
		{"PATCH", "/batch", `{"disabled":true}`, 409, "configuration"},
		{"DELETE", "/batch", ``, 409, "configuration"},
		{"POST", "/batch/secrets", ``, 409, "configuration"},
		{"DELETE", "/batch/secrets/1", ``, 409, "configuration"},
		{"GET", "/nobody", ``, 404, "nobody"},
		{"PUT", "/nobody", `{}`, 404, "nobody"},
		{"PATCH", "/nobody", `{}`, 404, "nobody"},
		{"DELETE", "/nobody", ``, 404, "nobody"},
		{"POST", "/nobody/secrets", ``, 404, "nobody"},
		{"DELETE", "/job/secrets/7", ``, 404, `"7"`},
		{"PATCH", "/job", `{"scopes":["fly"]}`, 400, "fly"},
		{"PATCH", "/job", `"x"`, 400, "object"},
		{"PATCH", "/job", `{"client_id":"other"}`, 400, "client_id"},
		{"PATCH", "/job", `{"secrets":[]}`, 400, "secrets"},
		{"PUT", "/job", `{"client_id":"other"}`, 400, "client_id"},
		{"POST", "/job/secrets", `{"expires":"soon"}`, 400, "soon"},
		{"POST", "/job/secrets", `{"expires":"2001-01-01T00:00:00Z"}`, 400, "expires"},
		{"POST", "/job/secrets", `{"expires":"-1h"}`, 400, "expires"},
		{"POST", "/job/secrets", `{"secret":"hunter2hunter2hunter2"}`, 400, "secret"},
		{"GET", "?limit=0", ``, 400, "limit"},
		{"GET", "?limit=2000", ``, 400, "limit"},
		{"GET", "?page=2", ``, 400, "page"},
		{"GET", "/job?page=2", ``, 400, "query"},
		{"POST", "/job", `{}`, 405, "POST"},
	} {
		answer, _ := s.client(c.method, c.path, c.body, c.status)
		if !strings.Contains(answer.Error, c.says) || strings.Contains(answer.Error, "hunter2") {
			t.Errorf("%s %s %.80s: %s", c.method, c.path, c.body, answer.Error)
		}
	}
	if got, etag := s.client("GET", "/job", "", 200); etag != `"1"` || len(got.Secrets) != 1 || got.Scopes != nil {
		t.Errorf("%+v %s", got, etag)
	}
}

// Of two operators, the later one does not undo what the earlier one did.
func TestAdminClientETags(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	_, first := s.client("POST", "", `{"client_id":"job","scopes":["read"],"token_lifetime":"10m"}`, 201)
	s.client("GET", "/job", "", 304, "If-None-Match", first)
	changed, second := s.client("PUT", "/job", `{"scopes":["read","write"]}`, 200, "If-Match", first)
	if changed.Lifetime != "" || len(changed.Scopes) != 2 || len(changed.Secrets) != 1 || second == first {
		t.Errorf("%+v %s", changed, second)
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		s.client(method, "/job", `{}`, 412, "If-Match", first)
	}
	s.client("POST", "/job/secrets", ``, 412, "If-Match", first)
	s.client("DELETE", "/job/secrets/1", ``, 412, "If-Match", first)
	patched, third := s.client("PATCH", "/job", `{"name":"the job","token_lifetime":"5m"}`, 200, "If-Match", `"7", `+second)
	if patched.Name != "the job" || patched.Lifetime != "5m0s" || len(patched.Scopes) != 2 {
		t.Errorf("%+v", patched)
	}
	s.client("DELETE", "/job", ``, 204, "If-Match", third)
	s.client("DELETE", "/job", ``, 404, "If-Match", "*")
}

// All clients are listed once, in parts, wherever they are from.
func TestAdminClientList(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient+"\n\t\trole clerk read", "oauth2_gate read")
	for i := range 5 {
		s.client("POST", "", fmt.Sprintf(`{"client_id":"job%d","no_secret":true,"roles":["clerk"]}`, i), 201)
	}
	var seen []string
	for after := ""; ; {
		var part struct {
			Clients []adminClient
			Next    string
		}
		if status, text := s.askJSON("GET", "/oauth2/clients?limit=2&after="+url.QueryEscape(after), "", &part); status != 200 || len(part.Clients) > 2 {
			t.Fatalf("%d %s", status, text)
		}
		for _, one := range part.Clients {
			seen = append(seen, one.ID+" "+one.Origin)
		}
		if after = part.Next; after == "" {
			break
		}
	}
	if got := strings.Join(seen, ", "); got != "batch configuration, job0 admin, job1 admin, job2 admin, job3 admin, job4 admin" {
		t.Error(got)
	}
	if batch, etag := s.client("GET", "/batch", "", 200); len(batch.Secrets) != 1 || etag != "" || batch.Secrets[0].Made != "" {
		t.Errorf("%+v %s", batch, etag)
	}
	// What the configuration ceases to declare is said.
	s.mustReload(batchClient, "oauth2_gate read")
	if job, _ := s.client("GET", "/job1", "", 200); len(job.Undeclared) != 1 || job.Undeclared[0] != "clerk" {
		t.Errorf("%+v", job)
	}
}
