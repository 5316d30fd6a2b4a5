package token

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Claims are the claims of an access token (RFC 9068 section 2.2). Times are
// NumericDates: whole seconds since 1970 (RFC 7519 section 2).
type Claims struct {
	Issuer       string        // iss
	Subject      string        // sub
	Audience     []string      // aud: a string on the wire where there is one
	ClientID     string        // client_id (RFC 8693 section 4.3)
	IssuedAt     int64         // iat
	NotBefore    int64         // nbf; 0: absent. Never written by this issuer
	Expires      int64         // exp
	ID           string        // jti
	Scope        Scopes        // scope; absent on the wire where empty
	Roles        []string      // roles (RFC 9068 section 2.2.3.1); absent where empty
	Confirmation *Confirmation // cnf (RFC 7800); nil: a bearer token

	// Extra are the claims that the operator added to the client, and when
	// parsed all members that have no field above; nil where there is none. Values
	// are those of encoding/json with json.Number for numbers.
	Extra map[string]any
}

// Confirmation binds a token to a key of the client (RFC 7800).
type Confirmation struct {
	CertificateThumbprint string `json:"x5t#S256,omitempty"` // RFC 8705 section 3.1
	KeyThumbprint         string `json:"jkt,omitempty"`      // RFC 9449 section 6.1
}

// AsRead leaves out what is empty, as the claims are when they are read from the
// token again.
func (c *Claims) AsRead() *Claims {
	if len(c.Scope) == 0 {
		c.Scope = nil
	}
	if len(c.Roles) == 0 {
		c.Roles = nil
	}
	if len(c.Extra) == 0 {
		c.Extra = nil
	}
	return c
}

// TokenType is the `token_type` of the token (RFC 6749 section 7.1): DPoP where
// it is bound to a key of which proofs are asked for (RFC 9449 section 5), else
// Bearer, also where it is bound to a certificate (RFC 8705 section 3).
func (c *Claims) TokenType() string {
	if c.Confirmation != nil && c.Confirmation.KeyThumbprint != "" {
		return "DPoP"
	}
	return "Bearer"
}

// Leeway is how far the clocks of issuer and gate may differ: it is granted
// for exp, nbf and iat alike.
const Leeway = 30 * time.Second

// CheckTime judges exp, nbf and iat at the moment now, with [Leeway].
// The error is an [*Error] with [CheckExpired] or [CheckNotYet].
func (c *Claims) CheckTime(now time.Time) error {
	seconds, leeway := now.Unix(), int64(Leeway/time.Second)
	if seconds >= c.Expires+leeway {
		return refuse(CheckExpired, nil)
	}
	if c.NotBefore > seconds+leeway || c.IssuedAt > seconds+leeway {
		return refuse(CheckNotYet, nil)
	}
	return nil
}

// HasAudience tells whether the token is meant for the resource, compared
// byte for byte (RFC 9068 section 4).
func (c *Claims) HasAudience(resource string) bool {
	return slices.Contains(c.Audience, resource)
}

// registered are the claims that only the issuer itself may write: those of
// RFC 9068, of RFC 7519, and those that other software takes decisions on.
var registered = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "scp", "roles", "groups",
	"entitlements", "cnf", "act", "may_act", "azp", "auth_time", "acr", "amr", "nonce", "typ",
	"token_type", "active", "username", "sid", "events", "authorization_details",
}

// Registered tells whether name is a claim that no configuration may set,
// since the issuer writes it or other software takes decisions on it.
func Registered(name string) bool { return slices.Contains(registered, name) }

// Value returns a claim by its name, as text: lists are joined with spaces, as
// `scope` is on the wire. ok is false where the token does not carry it.
func (c *Claims) Value(name string) (text string, ok bool) {
	switch name {
	case "iss":
		return c.Issuer, true
	case "sub":
		return c.Subject, true
	case "aud":
		return strings.Join(c.Audience, " "), true
	case "client_id":
		return c.ClientID, true
	case "iat":
		return number(c.IssuedAt)
	case "exp":
		return number(c.Expires)
	case "jti":
		return c.ID, true
	case "scope":
		return c.Scope.String(), len(c.Scope) > 0
	case "roles":
		return strings.Join(c.Roles, " "), len(c.Roles) > 0
	}
	value, ok := c.Extra[name]
	if !ok {
		return "", false
	}
	return textOf(value), true
}

// number spells a time; zero stands for none.
func number(value int64) (text string, ok bool) {
	if value == 0 {
		return "", false
	}
	return strconv.FormatInt(value, 10), true
}

// textOf spells a JSON value as text.
func textOf(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case []any:
		texts := make([]string, len(value))
		for i, element := range value {
			texts[i] = textOf(element)
		}
		return strings.Join(texts, " ")
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(encoded)
}
