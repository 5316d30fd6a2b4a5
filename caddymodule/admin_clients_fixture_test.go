package caddymodule_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// adminClient is what operators' scripts rely on.
type adminClient struct {
	ID           string `json:"client_id"`
	Name         string
	Scopes       []string
	Roles        []string
	Resources    []string
	Lifetime     string `json:"token_lifetime"`
	Origin       string
	Disabled     bool
	Undeclared   []string
	Secrets      []adminSecret
	ClientSecret string `json:"client_secret"`
	SecretID     string `json:"secret_id"`
	Error        string
}

type adminSecret struct {
	ID, Made, Expires string
	Expired           bool
}

// client asks for one client's document.
func (s *adminSite) client(method, path, body string, want int, fields ...string) (answer adminClient, etag string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.admin+"/oauth2/clients"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	status, header, text := s.send(r)
	if status != want {
		s.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, status, text, want)
	}
	if strings.Contains(text, "$sha256$") || method == http.MethodGet && strings.Contains(text, "cc_") {
		s.t.Errorf("%s %s shows a secret: %s", method, path, text)
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			s.t.Fatalf("%s %s: %s", method, path, text)
		}
	}
	return answer, header.Get("ETag")
}

// tokenOf asks for a token with a secret.
func (s *site) tokenOf(id, secret string, want int) (token string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(id), secret)
	status, _, body := s.send(r)
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != want {
		s.t.Fatalf("token of %s: %d %s, want %d", id, status, body, want)
	}
	return answer.AccessToken
}
