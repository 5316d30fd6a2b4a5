package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// clientOptions are roles, resources and a configured client.
const clientOptions = batchClient + `
role clerk orders:read
resource https://a.example.com {
	scopes orders:read orders:write
}
resource https://b.example.com
`

const gateOfB = "oauth2_gate orders:read {\n resource https://b.example.com\n}"

// adminClient is what operators' scripts rely on.
type adminClient struct {
	ID            string `json:"client_id"`
	Origin        string
	Name, Subject string
	Scopes        []string
	Roles         []string
	Resources     []string
	Lifetime      string `json:"token_lifetime"`
	Claims        map[string]string
	Require       string
	Introspect    string
	Bridge        bool `json:"allow_bridge"`
	Disabled      bool
	Secrets       []adminSecret
	Undeclared    map[string][]string
	Made, Changed time.Time

	SecretID string `json:"secret_id"`
	Secret   string `json:"client_secret"`
	Removed  bool
	Error    string
}

type adminSecret struct {
	ID            string `json:"secret_id"`
	Made, Expires time.Time
	LastUsed      time.Time `json:"last_used"`
	Address       string    `json:"last_address"`
	Uses          int
	Since         time.Time `json:"counted_since"`
	Use           string
	Safe          bool `json:"safe_to_remove"`
}

// clientAt sends a request about clients, and returns the answer.
func (s *adminSite) clientAt(method, path, body string, headers ...string) (status int, header http.Header, answer adminClient) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.admin+"/oauth2/clients"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	status, header, text := s.send(r)
	if status == http.StatusNotModified {
		return status, header, answer
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || header.Get("Cache-Control") != "no-store" {
		s.t.Fatalf("%s %s: %d %s %v", method, path, status, text, header)
	}
	if strings.Contains(text, "$sha256$") || strings.Contains(text, "hash") || method == http.MethodGet && strings.Contains(text, "cc_") {
		s.t.Errorf("%s %s shows a secret: %s", method, path, text)
	}
	return status, header, answer
}

// tokenFor gets a token with all that the client has.
func (s *adminSite) tokenFor(id, secret string) string {
	s.t.Helper()
	status, body := s.tryToken(id, secret)
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		s.t.Fatalf("a token for %s: %d %s", id, status, body)
	}
	return answer.AccessToken
}

func (s *adminSite) tryToken(id, secret string) (status int, body string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	status, _, body = s.send(r)
	return status, body
}

// mustClient expects the status.
func (s *adminSite) mustClient(want int, method, path, body string, headers ...string) adminClient {
	s.t.Helper()
	status, _, answer := s.clientAt(method, path, body, headers...)
	if status != want {
		s.t.Fatalf("%s %s %s: %d %+v, expected %d", method, path, body, status, answer, want)
	}
	return answer
}

// A client that is made has what was said of it, from the next request on, and its
// secret is shown once.
func TestAdminAddsClient(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, "oauth2_gate orders:read {\n resource https://a.example.com\n}")
	if made := s.mustClient(400, "POST", "", `{"client_id":"a/b ü"}`); !strings.Contains(made.Error, "client_id") {
		t.Errorf("%+v", made)
	}
	status, header, made := s.clientAt("POST", "", `{"client_id":"a/b","name":"Nightly","subject":"sub","scopes":["orders:write"],"roles":["clerk"],
		"resources":["https://a.example.com"],"token_lifetime":"10m","claims":{"team":"x"},"introspect":"any","secret_expires":"90d"}`)
	if status != 201 || header.Get("Location") != "/oauth2/clients/a%2Fb" || header.Get("ETag") != `"1"` {
		t.Fatalf("%d %v %+v", status, header, made)
	}
	if !strings.HasPrefix(made.Secret, "cc_") || made.SecretID != "1" || len(made.Secrets) != 1 || made.Secrets[0].Expires.Before(time.Now().Add(89*24*time.Hour)) {
		t.Errorf("%+v", made)
	}
	shown := s.mustClient(200, "GET", "/a%2Fb", "")
	want := adminClient{
		ID: "a/b", Origin: "admin", Name: "Nightly", Subject: "sub", Scopes: []string{"orders:write"}, Roles: []string{"clerk"},
		Resources: []string{"https://a.example.com"}, Lifetime: "10m0s", Claims: map[string]string{"team": "x"}, Introspect: "any",
		Secrets: made.Secrets, Made: shown.Made, Changed: shown.Changed,
	}
	if fmt.Sprint(shown) != fmt.Sprint(want) || shown.Made.IsZero() || shown.Changed.IsZero() {
		t.Errorf("got %+v, want %+v", shown, want)
	}
	got := s.tokenFor("a/b", made.Secret)
	s.expect("/", got, 200)
	if made := s.mustClient(201, "POST", "", `{"client_id":"bare","no_secret":true}`); made.Secret != "" || made.SecretID != "" || len(made.Secrets) != 0 {
		t.Errorf("%+v", made)
	}
	if again := s.mustClient(409, "POST", "", `{"client_id":"a/b"}`); !strings.Contains(again.Error, "already") {
		t.Error(again.Error)
	}
	if configured := s.mustClient(409, "POST", "", `{"client_id":"batch"}`); !strings.Contains(configured.Error, "configuration") {
		t.Error(configured.Error)
	}
	s.mustReload(clientOptions+"token_lifetime 30m", "oauth2_gate orders:read {\n resource https://a.example.com\n}")
	s.expect("/", got, 200)
	s.tokenFor("a/b", made.Secret)
}

// What is wrong is refused with its name and what was expected, and nothing is made.
func TestAdminRefusesClients(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions+"scope_alias urn:all", gateOfB)
	for body, want := range map[string]string{
		`{}`:                                     "client_id",
		`{"client_id":"\n"}`:                     "client_id",
		`{"client_id":7}`:                        "client_id: expected a text",
		`{"client_id":null}`:                     "client_id",
		`{"client_id":"x","scope":"a"}`:          `unknown member "scope": expected one of allow_bridge`,
		`{"client_id":"x","Scopes":["a"]}`:       `unknown member "Scopes"`,
		`{"client_id":"x","secrets":[]}`:         `unknown member "secrets"`,
		`{"client_id":"x","epoch":0}`:            `unknown member "epoch"`,
		`{"client_id":"x","scopes":"a"}`:         "scopes: expected a list of texts",
		`{"client_id":"x","scopes":["a b"]}`:     "scopes[0]: scope",
		`{"client_id":"x","scopes":[null]}`:      "scopes[0]: scope",
		`{"client_id":"x","scopes":["a","a"]}`:   `scopes[1]: "a" stands twice`,
		`{"client_id":"x","scopes":["urn:all"]}`: "scopes[0]: \"urn:all\" is a scope_alias",
		`{"client_id":"x","resources":["https://a.example.com"],"scopes":["orders:delete"]}`: `scopes[0]: unknown scope "orders:delete": expected one of orders:read, orders:write`,
		`{"client_id":"x","roles":["boss"]}`:                                                 `roles[0]: unknown role "boss": expected one of clerk`,
		`{"client_id":"x","resources":["https://c.example.com"]}`:                            "resources[0]: unknown resource",
		`{"client_id":"x","token_lifetime":"10"}`:                                            "token_lifetime: expected a duration",
		`{"client_id":"x","token_lifetime":"0s"}`:                                            "token_lifetime: 0s: expected whole seconds",
		`{"client_id":"x","token_lifetime":"1500ms"}`:                                        "token_lifetime: 1.5s: expected whole seconds",
		`{"client_id":"x","token_lifetime":"9000d"}`:                                         "token_lifetime",
		`{"client_id":"x","claims":{"scope":"all"}}`:                                         `claims.scope: claim "scope" is registered`,
		`{"client_id":"x","claims":{"team":1}}`:                                              "claims: expected an object of texts",
		`{"client_id":"x","claims":{"team":"\u0000"}}`:                                       "claims.team",
		`{"client_id":"x","require":"tls"}`:                                                  `require: "tls": expected dpop or mtls`,
		`{"client_id":"x","require":"dpop","allow_bridge":true}`:                             "allow_bridge: beside require",
		`{"client_id":"x","allow_bridge":true,"no_secret":true}`:                             "allow_bridge: the client has no secret",
		`{"client_id":"x","introspect":"all"}`:                                               `introspect: "all": expected any, own or none`,
		`{"client_id":"x","disabled":"yes"}`:                                                 "disabled: expected true or false",
		`{"client_id":"x","name":"a\nb"}`:                                                    "name",
		`{"client_id":"x","no_secret":"yes"}`:                                                "no_secret: expected true or false",
		`{"client_id":"x","no_secret":true,"secret_expires":"1d"}`:                           "secret_expires: expected none beside no_secret",
		`{"client_id":"x","secret_expires":"2001-01-01T00:00:00Z"}`:                          "secret_expires: expected a time to come",
		`{"client_id":"x","secret_expires":"-1d"}`:                                           "secret_expires",
		`{"client_id":"x","secret_expires":"soon"}`:                                          "secret_expires",
		`{"client_id":"x","secret_expires":7}`:                                               "secret_expires",
		`[]`:                                                                                 "body: expected one JSON object",
		`null`:                                                                               "body: expected one JSON object",
		`{"client_id":"x"`:                                                                   "body: expected one JSON object",
		`{"client_id":"x"} {}`:                                                               "body",
	} {
		if got := s.mustClient(400, "POST", "", body); !strings.Contains(got.Error, want) {
			t.Errorf("%s\ngot %s\nwant %s", body, got.Error, want)
		}
	}
	s.mustClient(413, "POST", "", `{"name":"`+strings.Repeat("x", 70_000)+`"}`)
	s.mustClient(415, "POST", "", "")
	s.mustClient(400, "POST", "?name=x", `{"client_id":"x"}`)
	s.mustClient(405, "DELETE", "", "")
	if got := s.clients(""); !slices.Equal(got, []string{"batch"}) {
		t.Errorf("made all the same: %v", got)
	}
}

// clients are the client_ids of a page.
func (s *adminSite) clients(query string) (ids []string) {
	s.t.Helper()
	page, _ := s.page(query)
	return page
}

func (s *adminSite) page(query string) (ids []string, next string) {
	s.t.Helper()
	var answer struct {
		Clients []adminClient
		Next    string
	}
	if status, text := s.askJSON("GET", "/oauth2/clients"+query, "", &answer); status != 200 || answer.Clients == nil {
		s.t.Fatalf("%d %s", status, text)
	}
	for _, one := range answer.Clients {
		ids = append(ids, one.ID)
	}
	return ids, answer.Next
}

// A list that is read page by page has each client once, those of the configuration
// among them.
func TestAdminListsClients(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	for _, id := range []string{"z", "a", "Z", "batch2", "c d"} {
		s.mustClient(201, "POST", "", fmt.Sprintf(`{"client_id":%q}`, id))
	}
	want := []string{"Z", "a", "batch", "batch2", "c d", "z"}
	if got := s.clients(""); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	for _, limit := range []int{1, 2, 5, 6, 7} {
		var all []string
		for after, pages := "", 0; pages < 10; pages++ {
			ids, next := s.page(fmt.Sprintf("?limit=%d&after=%s", limit, url.QueryEscape(after)))
			all = append(all, ids...)
			if after = next; next == "" {
				break
			}
		}
		if !slices.Equal(all, want) {
			t.Errorf("pages of %d: %v", limit, all)
		}
	}
	for _, query := range []string{"?limit=0", "?limit=1001", "?limit=x", "?limit=", "?limti=3"} {
		if status, text := s.askJSON("GET", "/oauth2/clients"+query, "", new(any)); status != 400 {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
	if shown := s.mustClient(200, "GET", "/batch", ""); shown.Origin != "configuration" || len(shown.Secrets) != 1 || shown.Secrets[0].ID != "1" || !shown.Made.IsZero() {
		t.Errorf("%+v", shown)
	}
	s.mustClient(404, "GET", "/nobody", "")
}

// What a configuration ceases to declare is named, and gives nothing.
func TestAdminShowsWhatIsUndeclared(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	s.mustClient(201, "POST", "", `{"client_id":"a","roles":["clerk"],"scopes":["orders:write"],"resources":["https://a.example.com","https://b.example.com"]}`)
	for _, step := range []struct {
		options string
		want    map[string][]string
	}{
		{clientOptions, nil},
		{"client other {\n secret \"" + secret + "\"\n scopes orders:read\n}\nresource https://a.example.com {\n scopes orders:read\n}",
			map[string][]string{"roles": {"clerk"}, "resources": {"https://b.example.com"}, "scopes": {"orders:write"}}},
		{batchClient, map[string][]string{"roles": {"clerk"}, "resources": {"https://a.example.com", "https://b.example.com"}}},
	} {
		directives := "oauth2_gate read"
		if strings.Contains(step.options, "resource") {
			directives = "oauth2_gate orders:read {\n resource https://a.example.com\n}"
		}
		s.mustReload(step.options, directives)
		if got := s.mustClient(200, "GET", "/a", ""); !maps.EqualFunc(got.Undeclared, step.want, slices.Equal) {
			t.Errorf("got %v, want %v", got.Undeclared, step.want)
		}
	}
}
