package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// wrongSecret tells whether the client is refused with the secret.
func (s *adminSite) wrongSecret(id, secret string) bool {
	s.t.Helper()
	status, _ := s.tryToken(id, secret)
	return status == 401
}

// A secret is rotated without a moment in which the client has none, and tokens of
// the former one live on.
func TestAdminRotatesSecret(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	first := s.mustClient(201, "POST", "", `{"client_id":"a","scopes":["orders:read"],"resources":["https://b.example.com"]}`)
	old := s.tokenFor("a", first.Secret)
	status, header, second := s.clientAt("POST", "/a/secrets", "") // nothing must be said
	if status != 201 || second.SecretID != "2" || header.Get("ETag") != `"2"` || second.Secret == first.Secret {
		t.Fatalf("%d %v %+v", status, header, second)
	}
	s.tokenFor("a", first.Secret)
	s.tokenFor("a", second.Secret)
	if removed := s.mustClient(200, "DELETE", "/a/secrets/1", ""); !removed.Removed || removed.SecretID != "1" {
		t.Errorf("%+v", removed)
	}
	if !s.wrongSecret("a", first.Secret) {
		t.Error("a removed secret is good")
	}
	s.tokenFor("a", second.Secret)
	s.expect("/", old, 200)
	s.mustReload(clientOptions+"token_lifetime 30m", gateOfB)
	if !s.wrongSecret("a", first.Secret) {
		t.Error("a removed secret is good after a reload")
	}
	s.tokenFor("a", second.Secret)
}

// A list tells all of a secret but what it is.
func TestAdminListsSecrets(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	s.mustClient(201, "POST", "", `{"client_id":"a"}`)
	end := time.Now().Add(48 * time.Hour).Truncate(time.Second)
	s.mustClient(201, "POST", "/a/secrets", `{"expires":"`+end.Format(time.RFC3339)+`"}`)
	s.mustClient(201, "POST", "/a/secrets", `{"expires":"1h30m"}`)
	shown := s.mustClient(200, "GET", "/a/secrets", "")
	if len(shown.Secrets) != 3 || shown.ID != "a" {
		t.Fatalf("%+v", shown)
	}
	for i, secret := range shown.Secrets {
		if secret.ID != fmt.Sprint(i+1) || time.Since(secret.Made) > time.Minute || secret.Expires.IsZero() != (i == 0) {
			t.Errorf("%+v", secret)
		}
	}
	if !shown.Secrets[1].Expires.Equal(end) || time.Until(shown.Secrets[2].Expires) > 90*time.Minute {
		t.Errorf("%+v", shown.Secrets)
	}
	configured := s.mustClient(200, "GET", "/batch/secrets", "")
	if len(configured.Secrets) != 1 || configured.Secrets[0].ID != "1" || !configured.Secrets[0].Made.IsZero() {
		t.Errorf("%+v", configured)
	}
}

// Whoever rotates a secret sees which one is in use, and from where.
func TestAdminShowsUseOfSecrets(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	first := s.mustClient(201, "POST", "", `{"client_id":"a"}`)
	s.mustClient(201, "POST", "/a/secrets", `{}`)
	s.tokenFor("a", first.Secret)
	s.tokenFor("a", first.Secret)
	shown := s.mustClient(200, "GET", "/a/secrets", "").Secrets
	if one := shown[0]; one.Uses != 2 || one.Address != "127.0.0.1" || one.Use != "in use" || one.Safe || time.Since(one.LastUsed) > time.Minute || one.Since.IsZero() {
		t.Errorf("%+v", one)
	}
	if one := shown[1]; one.Uses != 0 || !one.LastUsed.IsZero() || one.Safe {
		t.Errorf("%+v", one)
	}
	s.tokenFor("batch", secret)
	if one := s.mustClient(200, "GET", "/batch/secrets", "").Secrets[0]; one.Uses == 0 || !strings.Contains(one.Use, "give it an id") || one.Safe {
		t.Errorf("%+v", one)
	}
	s.mustClient(200, "DELETE", "/a", "")
	s.mustClient(201, "POST", "", `{"client_id":"a"}`)
	if one := s.mustClient(200, "GET", "/a/secrets", "").Secrets[0]; one.Uses != 0 {
		t.Errorf("%+v", one)
	}
}

// Metrics tell of clients made at run time, and of their secrets that expire soon.
func TestMetricsOfAdminClients(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	s.mustClient(201, "POST", "", `{"client_id":"soon","secret_expires":"10d"}`)
	s.mustClient(201, "POST", "", `{"client_id":"later","secret_expires":"20d"}`)
	s.mustClient(201, "POST", "", `{"client_id":"off","disabled":true}`)
	now := families(t)
	for name, want := range map[string]float64{
		"clients source=admin state=enabled":          2,
		"clients source=admin state=disabled":         1,
		"clients source=configuration state=enabled":  1,
		"clients source=configuration state=disabled": 0,
	} {
		if value, ok := now["caddy_oauth2_"+name]; !ok || value != want {
			t.Errorf("%s is %v, %v", name, value, ok)
		}
	}
	const expires = "caddy_oauth2_secret_expires_timestamp_seconds client="
	if _, soon := now[expires+"soon secret=1"]; !soon {
		t.Error("a secret that expires soon is not there")
	}
	if _, later := now[expires+"later secret=1"]; later {
		t.Error("one that does not is")
	}
}

// A client that is disabled or bound stays so, whatever becomes of its secrets; and
// what cannot be done says why.
func TestAdminRefusesSecrets(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	s.mustClient(201, "POST", "", `{"client_id":"a"}`)
	for _, c := range []struct {
		status             int
		method, path, body string
		says               string
	}{
		{400, "POST", "/a/secrets", `{"expires":"2001-01-01T00:00:00Z"}`, "expires: expected a time to come"},
		{400, "POST", "/a/secrets", `{"expires":"8000d"}`, "within 20 years"},
		{400, "POST", "/a/secrets", `{"expires":"0s"}`, "expires"},
		{400, "POST", "/a/secrets", `{"expires":3}`, "expires"},
		{400, "POST", "/a/secrets", `{"text":"my own"}`, "unknown member \"text\": expected one of expires"},
		{400, "POST", "/a/secrets?expires=1d", `{}`, "query"},
		{404, "POST", "/nobody/secrets", `{}`, "no such client"},
		{404, "GET", "/nobody/secrets", ``, "no such client"},
		{404, "DELETE", "/nobody/secrets/1", ``, "no such client"},
		{404, "DELETE", "/a/secrets/2", ``, "no such secret"},
		{404, "DELETE", "/a/secrets/01", ``, "no such secret"},
		{409, "POST", "/batch/secrets", `{}`, "stands in the configuration"},
		{409, "DELETE", "/batch/secrets/1", ``, "stands in the configuration"},
		{405, "PUT", "/a/secrets", `{}`, "GET, HEAD, POST"},
		{405, "GET", "/a/secrets/1", ``, "DELETE"},
	} {
		if got := s.mustClient(c.status, c.method, c.path, c.body); !strings.Contains(got.Error, c.says) {
			t.Errorf("%s %s %s: %s", c.method, c.path, c.body, got.Error)
		}
	}
	s.mustClient(412, "POST", "/a/secrets", `{}`, "If-Match", `"7"`)
	s.mustClient(412, "DELETE", "/a/secrets/1", ``, "If-Match", `"7"`)
	for range 9 {
		s.mustClient(201, "POST", "/a/secrets", `{}`)
	}
	if got := s.mustClient(409, "POST", "/a/secrets", `{}`); !strings.Contains(got.Error, "has 10 secrets") {
		t.Error(got.Error)
	}
}

// The answers have the members that the contract names, and no others.
func TestAdminSecretAnswers(t *testing.T) {
	s := newAdminSite(t)
	s.mustReload(clientOptions, gateOfB)
	s.mustClient(201, "POST", "", `{"client_id":"a","no_secret":true}`)
	var made map[string]json.RawMessage
	s.askJSON("POST", "/oauth2/clients/a/secrets", `{}`, &made)
	if len(made) != 3 || made["client_id"] == nil || made["client_secret"] == nil || string(made["secret_id"]) != `"1"` {
		t.Errorf("%v", made)
	}
}
