package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(Sign{})
	httpcaddyfile.RegisterHandlerDirective("bench_sign", parseSign)
	httpcaddyfile.RegisterDirectiveOrder("bench_sign", httpcaddyfile.Before, "respond")
}

// Sign is the least that a token endpoint can do: it reads the form, compares a
// secret, signs claims like ours and answers JSON like ours. It judges nothing. Over
// TLS, a certificate stands for the secret.
type Sign struct {
	// The algorithm, `ES256` or `RS256`.
	Algorithm string `json:"algorithm"`
	// The path of a PEM file with the ES256 key by which the client_assertion or
	// the DPoP proof of each request is checked. Default: none is.
	Verify string `json:"verify,omitempty"`

	secret   []byte
	signer   signer
	verifier *verifier
}

// CaddyModule returns the Caddy module information.
func (Sign) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.bench_sign", New: func() caddy.Module { return new(Sign) }}
}

// parseSign reads `bench_sign <algorithm> [<key file>]`.
func parseSign(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(Sign)
	return handler, handler.UnmarshalCaddyfile(h.Dispenser)
}

// UnmarshalCaddyfile implements caddyfile.Unmarshaler.
func (s *Sign) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	words := d.RemainingArgs()
	if len(words) == 0 || len(words) > 2 {
		return d.ArgErr()
	}
	s.Algorithm = words[0]
	if len(words) == 2 {
		s.Verify = words[1]
	}
	return nil
}

// Provision makes the key to sign with.
func (s *Sign) Provision(caddy.Context) (err error) {
	s.secret = []byte(os.Getenv("BENCH_SECRET"))
	if s.signer, err = newSigner(s.Algorithm); err != nil || s.Verify == "" {
		return err
	}
	s.verifier, err = newVerifier(s.Verify)
	return err
}

// claims are those of our access tokens.
type claims struct {
	Issuer   string            `json:"iss"`
	Subject  string            `json:"sub"`
	Audience string            `json:"aud"`
	ClientID string            `json:"client_id"`
	IssuedAt int64             `json:"iat"`
	Expires  int64             `json:"exp"`
	ID       string            `json:"jti"`
	Scope    string            `json:"scope"`
	Bound    map[string]string `json:"cnf,omitempty"`
}

// What tokens are bound to, whoever asks.
var (
	boundKey         = map[string]string{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}
	boundCertificate = map[string]string{"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}
)

type answer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"`
	Scope       string `json:"scope"`
}

func (s *Sign) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return err
	}
	id, secret, _ := r.BasicAuth()
	tokenType, bound := "Bearer", map[string]string(nil)
	if r.Header.Get("DPoP") != "" {
		tokenType, bound = "DPoP", boundKey
	}
	switch {
	case s.verifier != nil:
		if !s.verifier.good(form.Get("client_assertion") + r.Header.Get("DPoP")) {
			return caddyhttp.Error(http.StatusUnauthorized, nil)
		}
	case r.TLS != nil:
		if len(r.TLS.PeerCertificates) == 0 {
			return caddyhttp.Error(http.StatusUnauthorized, nil)
		}
		id, bound = form.Get("client_id"), boundCertificate
	case subtle.ConstantTimeCompare([]byte(secret), s.secret) != 1:
		return caddyhttp.Error(http.StatusUnauthorized, nil)
	}
	signed, err := s.sign(r.Host, id, bound)
	if err != nil {
		return err
	}
	return write(w, answer{AccessToken: signed, TokenType: tokenType, ExpiresIn: 3600, Scope: "read"})
}

func (s *Sign) sign(host, id string, bound map[string]string) (string, error) {
	var random [16]byte
	_, _ = rand.Read(random[:])
	now := time.Now().Unix()
	made := claims{
		Issuer: "http://" + host, Subject: id, Audience: "http://" + host, ClientID: id,
		IssuedAt: now, Expires: now + 3600, ID: base64.RawURLEncoding.EncodeToString(random[:]), Scope: "read", Bound: bound,
	}
	payload, err := json.Marshal(made)
	if err != nil {
		return "", err
	}
	return s.signer.sign(payload)
}

func write(w http.ResponseWriter, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("Pragma", "no-cache")
	header.Set("Content-Length", strconv.Itoa(len(encoded)))
	_, err = w.Write(encoded)
	return err
}
