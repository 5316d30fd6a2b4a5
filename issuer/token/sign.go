package token

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// Type is the `typ` of the access tokens that this issuer makes (RFC 9068
// section 2.1).
const Type = "at+jwt"

// Signer makes tokens with one key. It is safe for concurrent use.
type Signer struct {
	key    SigningKey
	prefix string // the encoded header and its dot: the same for all tokens of a key
	suffix int    // length of a dot and an encoded signature
}

// NewSigner returns a signer for the key. The error says that key and
// algorithm do not belong together, which is found by signing once.
func NewSigner(key SigningKey) (*Signer, error) {
	header, err := json.Marshal(struct {
		Algorithm Algorithm `json:"alg"`
		Type      string    `json:"typ"`
		KeyID     string    `json:"kid"`
	}{key.Algorithm, Type, key.ID})
	if err != nil {
		return nil, fmt.Errorf("encoding the token header: %w", err)
	}
	signer := &Signer{key: key, prefix: base64.RawURLEncoding.EncodeToString(header) + "."}
	if key.Algorithm.method() == nil {
		return nil, fmt.Errorf("key %s: unknown signature algorithm %q", key.ID, key.Algorithm)
	}
	text, err := signer.Sign(&Claims{})
	if err != nil {
		return nil, err
	}
	signer.suffix = len(text) - strings.LastIndexByte(text, '.')
	return signer, nil
}

// KeyID is the `kid` of the tokens.
func (s *Signer) KeyID() string { return s.key.ID }

// Header is the header of the tokens, encoded.
func (s *Signer) Header() string { return s.prefix[:len(s.prefix)-1] }

// Sign returns the claims as a signed JWT in compact form.
func (s *Signer) Sign(claims *Claims) (string, error) {
	payload, err := claims.encode()
	if err != nil {
		return "", fmt.Errorf("encoding the claims: %w", err)
	}
	text := make([]byte, 0, len(s.prefix)+base64.RawURLEncoding.EncodedLen(len(payload))+s.suffix)
	text = append(text, s.prefix...)
	text = base64.RawURLEncoding.AppendEncode(text, payload)
	signature, err := s.key.Algorithm.method().Sign(string(text), s.key.Private)
	if err != nil {
		return "", fmt.Errorf("signing with key %s: %w", s.key.ID, err)
	}
	text = append(text, '.')
	return string(base64.RawURLEncoding.AppendEncode(text, signature)), nil
}

// wireClaims is the order and the spelling of the claims on the wire.
type wireClaims struct {
	Issuer       string        `json:"iss"`
	Subject      string        `json:"sub"`
	Audience     any           `json:"aud,omitempty"`
	ClientID     string        `json:"client_id"`
	IssuedAt     int64         `json:"iat"`
	NotBefore    int64         `json:"nbf,omitempty"`
	Expires      int64         `json:"exp"`
	ID           string        `json:"jti"`
	Scope        string        `json:"scope,omitempty"`
	Roles        []string      `json:"roles,omitempty"`
	Confirmation *Confirmation `json:"cnf,omitempty"`
}

// written are the members of wireClaims.
var written = []string{"iss", "sub", "aud", "client_id", "iat", "nbf", "exp", "jti", "scope", "roles", "cnf"}

func (c *Claims) encode() ([]byte, error) {
	wire := wireClaims{
		Issuer: c.Issuer, Subject: c.Subject, ClientID: c.ClientID,
		IssuedAt: c.IssuedAt, NotBefore: c.NotBefore, Expires: c.Expires, ID: c.ID,
		Scope: c.Scope.String(), Roles: c.Roles, Confirmation: c.Confirmation,
	}
	switch len(c.Audience) {
	case 0: // left out: null is no audience (RFC 7519 section 4.1.3)
	case 1:
		wire.Audience = c.Audience[0]
	default:
		wire.Audience = c.Audience
	}
	payload, err := json.Marshal(wire)
	if err != nil || len(c.Extra) == 0 {
		return payload, err
	}
	// A member twice means one thing to this parser and another to the next.
	for _, name := range written {
		if _, taken := c.Extra[name]; taken {
			return nil, fmt.Errorf("extra claim %q: the issuer writes it", name)
		}
	}
	extra, err := json.Marshal(c.Extra)
	if err != nil {
		return nil, err
	}
	// Both are objects with at least one member: splice them into one.
	return append(append(payload[:len(payload)-1], ','), extra[1:]...), nil
}
