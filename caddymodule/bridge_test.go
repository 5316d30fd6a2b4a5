package caddymodule_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/caddymodule"
)

const (
	legacyKey     = "the key of the legacy client"
	legacyClients = batchClient + `
		client legacy {
			secret "` + legacyKey + `"
			scopes read
			roles clerk
			allow_bridge
		}
		role clerk stock`
	bothBridges = `oauth2_gate read {
		bridge basic {
			until 2099-06-30
		}
		bridge api_key X-Api-Key
	}
	request_header X-Seen "{http.auth.user.id} {http.auth.user.issuer} {http.auth.user.scope} [{http.auth.user.jti}{http.auth.user.claims.exp}] {http.auth.user.claims.roles}"`
)

// bring makes a request with these fields: name and value by turns.
func (s *site) bring(path string, fields ...string) (status int, header http.Header, body string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		if fields[i] == "basic" {
			id, password, _ := strings.Cut(fields[i+1], ":")
			r.SetBasicAuth(id, password)
			continue
		}
		r.Header[fields[i]] = append(r.Header[fields[i]], fields[i+1])
	}
	return s.send(r)
}

// Whoever comes by a bridge is told to the API as one with a token is, and its
// secret is not.
func TestBridge(t *testing.T) {
	s := newSite(t)
	s.load(legacyClients, bothBridges)
	for name, test := range map[string]struct {
		fields []string
		sunset string
	}{
		"basic": {[]string{"basic", "legacy:" + legacyKey, "X_api-KEY", legacyKey, "X-Client-Id", "admin"}, "Tue, 30 Jun 2099 00:00:00 GMT"},
		"key":   {[]string{"X-Api-Key", legacyKey, "x_api.key", legacyKey, "x_client_id", "admin"}, ""},
		"empty": {[]string{"basic", "legacy:" + legacyKey, "X-Api-Key", ""}, "Tue, 30 Jun 2099 00:00:00 GMT"},
	} {
		status, header, body := s.bring("/orders", test.fields...)
		if status != 200 || header.Get("Deprecation") != "@1735689600" || header.Get("Sunset") != test.sunset {
			t.Fatalf("%s: %d %s %v", name, status, body, header)
		}
		seen := s.upstream.take()[0].Header
		if got := seen.Get("X-Seen"); got != "legacy "+s.url+" read stock [] clerk" || seen.Get("X-Client-Id") != "legacy" ||
			seen.Get("X-Client-Scope") != "read stock" || seen.Get("X-Client-Issuer") != s.url {
			t.Errorf("%s: the API is told %v", name, seen)
		}
		for field, values := range seen {
			if strings.Contains(strings.Join(values, ""), legacyKey) || field == "Authorization" || strings.Contains(strings.ToLower(field), "key") {
				t.Errorf("%s: the API gets %s: %q", name, field, values)
			}
		}
	}
	status, header, _ := s.get("/orders", s.token("read"))
	if status != 200 || header.Get("Deprecation") != "" {
		t.Errorf("with a token: %d %v", status, header)
	}
}

func TestBridgeRefuses(t *testing.T) {
	s := newSite(t)
	s.load(legacyClients, bothBridges)
	raw := s.token("read")
	const wrong = `{"error":"invalid_client","error_description":"client authentication failed","error_id":"ID"}`
	for name, test := range map[string]struct {
		fields []string
		status int
		body   string
	}{
		"wrong secret":     {[]string{"basic", "legacy:wrong"}, 401, wrong},
		"unknown client":   {[]string{"basic", "nobody:" + legacyKey}, 401, wrong},
		"no bridge":        {[]string{"basic", "batch:" + secret}, 401, wrong},
		"no basic":         {[]string{"Authorization", "Basic %"}, 401, wrong},
		"wrong key":        {[]string{"X-Api-Key", "wrong"}, 401, wrong},
		"key of another":   {[]string{"X-Api-Key", secret}, 401, wrong},
		"folded key":       {[]string{"X_Api_Key", legacyKey}, 401, ""},
		"another header":   {[]string{"X-Key", legacyKey}, 401, ""},
		"key as token":     {[]string{"Authorization", "Bearer " + legacyKey}, 401, ""},
		"key in the query": {nil, 401, ""},
		"token and key":    {[]string{"Authorization", "Bearer " + raw, "X-Api-Key", legacyKey}, 400, ""},
		"two keys":         {[]string{"X-Api-Key", legacyKey, "X-Api-Key", legacyKey}, 400, ""},
		"both":             {[]string{"basic", "legacy:" + legacyKey, "X-Api-Key", legacyKey}, 400, ""},
	} {
		status, header, body := s.bring("/orders?X-Api-Key="+strings.ReplaceAll(legacyKey, " ", "+"), test.fields...)
		body = errorID.ReplaceAllString(body, `"error_id":"ID"`)
		if status != test.status || test.body != "" && body != test.body || header.Get("Deprecation") != "" {
			t.Errorf("%s: %d %s %v", name, status, body, header)
		}
		challenges := strings.Join(header["Www-Authenticate"], "\n")
		if offered := strings.Contains(challenges, "\nBasic realm="); offered != (status == 401 && name != "key as token") {
			t.Errorf("%s: challenges %s", name, challenges)
		}
	}
	if seen := s.upstream.take(); len(seen) > 0 {
		t.Errorf("%d requests passed", len(seen))
	}
}

// A bridge is there with a reload and gone with the next one; one that has
// ended before it is loaded is no mistake.
func TestBridgeFollowsTheConfiguration(t *testing.T) {
	s := newSite(t)
	bridges := func(within string) string { return "oauth2_gate read {\n" + within + "\n}" }
	for _, step := range []struct {
		directives string
		status     int
	}{
		{bridges(""), 401},
		{bridges("bridge api_key X-Api-Key"), 200},
		{bridges("bridge basic"), 401},
		{bridges("bridge api_key X-Api-Key {\n until 2020-01-01\n}"), 401},
		{bridges("report_only\nbridge api_key X-Other"), 200},
		// Two gates, both of which must let it pass.
		{bridges("bridge api_key X-Api-Key") + "\nroute {\n" + bridges("bridge api_key X-Api-Key") + "\n}", 200},
		{bridges("bridge api_key X-Api-Key") + "\nroute {\n" + bridges("") + "\n" + bridges("bridge api_key X-Api-Key") + "\n}", 401},
		{bridges("bridge api_key X-Api-Key") + "\nroute {\n" + bridges("bridge api_key X-Other") + "\n}", 401},
	} {
		s.replace(legacyClients, step.directives)
		if status, _, body := s.bring("/orders", "X-Api-Key", legacyKey); status != step.status {
			t.Errorf("%s: %d %s", step.directives, status, body)
		}
	}
	err := s.tryLoad(`client a {
			secret "`+legacyKey+`"
			allow_bridge
		}
		client b {
			secret "`+legacyKey+`"
			allow_bridge
		}`, "oauth2_gate")
	if err == nil || !strings.Contains(err.Error(), `clients "a" and "b" have a secret in common`) || strings.Contains(err.Error(), legacyKey) {
		t.Errorf("%v", err)
	}
}

// The report tells who uses a bridge still.
func TestBridgeInReport(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(legacyClients, strings.Split(bothBridges, "\n\trequest_header")[0])
	for range 3 {
		s.bring("/orders/"+"x", "X-Api-Key", legacyKey)
	}
	s.bring("/orders", "basic", "legacy:"+legacyKey)
	s.bring("/orders", "basic", "legacy:wrong")
	out, _, err := caddymodule.Command("report", "--address", s.admin)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Join(strings.Fields(out), " ")
	at := " 127.0.0.1 " + strings.TrimPrefix(s.url, "http://127.0.0.1")
	for _, want := range []string{"1 request refused", "wrong_secret 1 0", "in place of a token: GATE SITE CLIENT BRIDGE PASSED LAST SEEN", s.url + at + " legacy api_key 3 ", s.url + at + " legacy basic 1 "} {
		if !strings.Contains(lines, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if _, _, text := s.ask("GET", "/oauth2/report"); !strings.Contains(text, `"bridge":"api_key"`) || !strings.Contains(text, `"passed":3`) {
		t.Error(text)
	}
}
