package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const secret = "the-secret-of-the-bench-client"

// tokenRequest is one of a client with a secret; site is an issuer, or what
// stands for one.
func tokenRequest(p *process, site, clientID, secret string) *http.Request {
	r := post(p, site, url.Values{"grant_type": {"client_credentials"}})
	r.SetBasicAuth(clientID, secret)
	return r
}

func post(p *process, site string, form url.Values) *http.Request {
	r, err := http.NewRequest(http.MethodPost, p.url(site)+"/oauth2/token", strings.NewReader(form.Encode())) //nolint:noctx // the client has a timeout
	if err != nil {
		panic(err) // a url of our own making
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func secretOf(site, clientID string) maker {
	return each(func(p *process, _ int) *http.Request { return tokenRequest(p, site, clientID, secret) })
}

// secretInBody is client_secret_post (RFC 6749 section 2.3.1).
func secretInBody(site, clientID string) maker {
	return each(func(p *process, _ int) *http.Request {
		return post(p, site, url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}})
	})
}

// certificateOf is tls_client_auth or self_signed_tls_client_auth (RFC 8705 section 2).
func certificateOf(site, clientID string) maker {
	return each(func(p *process, _ int) *http.Request {
		return post(p, site, url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}})
	})
}

// asserted is private_key_jwt (RFC 7523).
func asserted(site string) maker {
	return each(func(p *process, _ int) *http.Request {
		return post(p, site, url.Values{
			"grant_type":            {"client_credentials"},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"client_assertion":      {p.keys.assertion("key", p.url("issuer"))},
		})
	})
}

// proved has a DPoP proof beside the secret (RFC 9449 section 5).
func proved(site string) maker {
	return each(func(p *process, _ int) *http.Request {
		r := tokenRequest(p, site, "bench", secret)
		r.Header.Set("DPoP", p.keys.proof(http.MethodPost, p.url("issuer")+"/oauth2/token", ""))
		return r
	})
}

// tokens asks for that many.
func (p *process) tokens(count int) ([]string, error) {
	tokens := make([]string, count)
	for i := range tokens {
		var err error
		if tokens[i], err = p.token(tokenRequest(p, "issuer", "bench", secret)); err != nil {
			return nil, err
		}
	}
	return tokens, nil
}

func (p *process) token(r *http.Request) (string, error) {
	response, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		return "", fmt.Errorf("no token: %d %w", response.StatusCode, err)
	}
	return answer.AccessToken, nil
}
