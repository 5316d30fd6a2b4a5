package caddymodule_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/dd99cb49/caddy-client-credentials/caddymodule"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate/report"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// adminSite is a site whose Caddy has an admin endpoint.
type adminSite struct {
	*site
	admin string
	log   string // option in place of one that discards all
}

func newAdminSite(t *testing.T) *adminSite {
	t.Helper()
	s := &adminSite{site: newSite(t), admin: freeAddress(t)}
	t.Cleanup(func() { // caddy.Stop leaves the endpoint there
		if err := caddy.Load([]byte(`{"admin": {"disabled": true, "config": {"persist": false}}}`), true); err != nil {
			t.Error(err)
		}
	})
	return s
}

// reload makes a configuration with an admin endpoint the running one.
func (s *adminSite) reload(options, directives string) error {
	config := strings.Replace(s.config(options, directives), "admin off", "admin "+s.admin, 1)
	if s.log != "" {
		config = strings.Replace(config, "log {\n\t\toutput discard\n\t}", s.log, 1)
	}
	adapted, err := adapt(config)
	if err != nil {
		return err
	}
	return caddy.Load(adapted, true)
}

func (s *adminSite) mustReload(options, directives string) {
	s.t.Helper()
	if err := s.reload(options, directives); err != nil {
		s.t.Fatal(err)
	}
}

// ask sends a request to the admin endpoint.
func (s *adminSite) ask(method, path string) (status int, header http.Header, body string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.admin+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.send(r)
}

// feed counts refusals of a client and of a stranger.
func (s *adminSite) feed() {
	counted := caddymodule.ActiveReport()
	counted.Add(&report.Entry{
		Gate: s.url, ClientID: "batch", Verified: true, Method: "POST", Path: "/orders", Rule: "/orders",
		Reason: gate.ReasonScope, Needs: []token.Scopes{{"admin"}}, Scope: token.Scopes{"read"}, ID: "r1",
	})
	for range 2 {
		counted.Add(&report.Entry{
			Gate: s.url, Enforced: true, Address: "192.0.2.7", UserAgent: "<curl>\x1b[31m", Method: "GET", Path: "/health",
			Uncovered: true, Reason: gate.ReasonNoToken,
		})
	}
}

func (s *adminSite) rows(method, path string) []map[string]any {
	s.t.Helper()
	status, header, body := s.ask(method, path)
	var answer struct {
		Since string           `json:"since"`
		Rows  []map[string]any `json:"rows"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 || answer.Since == "" || answer.Rows == nil {
		s.t.Fatalf("%s %s: %d %s %v", method, path, status, body, err)
	}
	if header.Get("Content-Type") != "application/json" || header.Get("Cache-Control") != "no-store" {
		s.t.Errorf("%s %s: %v", method, path, header)
	}
	return answer.Rows
}

// The members' names are what operators' scripts rely on.
func TestAdminReport(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	if rows := s.rows("GET", "/oauth2/report"); len(rows) != 0 {
		t.Errorf("an empty report: %v", rows)
	}
	s.feed()
	rows := s.rows("GET", "/oauth2/report?format=json")
	if len(rows) != 2 {
		t.Fatalf("got %v", rows)
	}
	for i, want := range []map[string]any{
		{
			"gate": s.url, "site": "", "verified": false, "address": "192.0.2.7", "user_agent": "<curl>%1B[31m", "method": "GET", "path": "/health",
			"uncovered": true, "reason": "no_token", "reported": 0.0, "refused": 2.0,
		},
		{
			"gate": s.url, "site": "", "verified": true, "client_id": "batch", "method": "POST", "rule": "/orders", "reason": "insufficient_scope",
			"reported": 1.0, "refused": 0.0, "refusal_id": "r1", "needs": []any{[]any{"admin"}}, "scope": []any{"read"},
		},
	} {
		got := rows[i]
		for _, name := range []string{"first_seen", "last_seen"} {
			if at, _ := got[name].(string); !strings.HasPrefix(at, "20") || !strings.HasSuffix(at, "Z") {
				t.Errorf("%s: %v", name, got[name])
			}
			delete(got, name)
		}
		gotText, _ := json.Marshal(got)
		wantText, _ := json.Marshal(want)
		if string(gotText) != string(wantText) {
			t.Errorf("got %s, want %s", gotText, wantText)
		}
	}
	if rows := s.rows("GET", "/oauth2/report?gate=https://other.example"); len(rows) != 0 {
		t.Errorf("another gate: %v", rows)
	}
	if status, _, body := s.ask("GET", "/oauth2/report?format=caddyfile"); status != 200 || !strings.Contains(body, "\nscopes admin\n") {
		t.Errorf("Caddyfile: %d %s", status, body)
	}
	// A reload forgets nothing.
	s.mustReload(batchClient+"\n token_lifetime 30m", "oauth2_gate read")
	if rows := s.rows("DELETE", "/oauth2/report?gate=https://other.example"); len(rows) != 0 {
		t.Errorf("another gate: %v", rows)
	}
	if rows := s.rows("DELETE", "/oauth2/report"); len(rows) != 2 {
		t.Errorf("reset: %v", rows)
	}
	if rows := s.rows("GET", "/oauth2/report"); len(rows) != 0 {
		t.Errorf("after the reset: %v", rows)
	}
}

// Whatever goes wrong is a JSON error, and changes nothing.
func TestAdminErrors(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	s.feed()
	for _, c := range []struct {
		method, path string
		status       int
		allow, says  string
	}{
		{"GET", "/oauth2/", 404, "", "/oauth2/"},
		{"GET", "/oauth2/nothing", 404, "", "/oauth2/nothing"},
		{"GET", "/oauth2/report/", 404, "", "report/"},
		{"GET", "/oauth2/report/x", 404, "", "report/x"},
		{"GET", "/oauth2/%72eport%2F", 404, "", ""},
		{"POST", "/oauth2/report", 405, "DELETE, GET, HEAD", "POST"},
		{"PUT", "/oauth2/report", 405, "DELETE, GET, HEAD", "PUT"},
		{"DELETE", "/oauth2/report?gates=https://other.example", 400, "", `"gates"`},
		{"DELETE", "/oauth2/report?gate=https://other.example;x", 400, "", "query"},
		{"GET", "/oauth2/report?format=xml", 400, "", `"xml"`},
		{"DELETE", "/oauth2/report?format=json&format=xml", 400, "", "xml"},
	} {
		status, header, body := s.ask(c.method, c.path)
		var answer struct {
			Error string `json:"error"`
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || status != c.status || answer.Error == "" ||
			!strings.Contains(answer.Error, c.says) || header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d %v %s", c.method, c.path, status, header, body)
		}
	}
	if rows := s.rows("GET", "/oauth2/report"); len(rows) != 2 {
		t.Errorf("left: %v", rows)
	}
}

// The endpoint is there whatever the configuration, and tells of the one in
// force: of one that could not be loaded it must not speak.
func TestAdminFollowsTheConfigurationInForce(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(batchClient, "oauth2_gate read")
	s.feed()
	for _, mistake := range []string{
		batchClient + "\n client x {\n secret {env.NOT_SET_ANYWHERE}\n}", // our app fails
		batchClient + "\n }\n events {\n on nonsense nonsense",           // adapting fails
	} {
		if s.reload(mistake, "oauth2_gate read") == nil {
			t.Fatal("loaded a mistake")
		}
		if rows := s.rows("GET", "/oauth2/report"); len(rows) != 2 {
			t.Errorf("after a failed reload: %v", rows)
		}
	}
	if s.reload(batchClient, "oauth2_gate read\n rewrite {\n nonsense\n }") == nil { // another app fails
		t.Fatal("loaded a mistake")
	}
	if rows := s.rows("GET", "/oauth2/report"); len(rows) != 2 {
		t.Errorf("after a failed reload: %v", rows)
	}
	for _, config := range []string{`{}`, `{"apps": {"oauth2": {}}}`} {
		config = strings.Replace(config, "{", `{"admin": {"listen": "`+s.admin+`", "config": {"persist": false}},`, 1)
		config = strings.Replace(config, ",}", "}", 1)
		if err := caddy.Load([]byte(config), true); err != nil {
			t.Fatal(err)
		}
		if status, _, body := s.ask("GET", "/oauth2/report"); status != 404 || !strings.Contains(body, `{"error":"the running configuration has no`) {
			t.Errorf("%s: %d %s", config, status, body)
		}
	}
}
