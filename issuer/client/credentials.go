package client

import (
	"fmt"
	"io"
)

// GeneratedPrefix begins the secrets that this server makes.
const GeneratedPrefix = "cc_"

// Method is a client authentication method, by the name that the metadata
// gives it (RFC 7591 section 2).
type Method string

// The methods. A client that has a secret may use either of these two.
const (
	SecretBasic Method = "client_secret_basic" // RFC 6749 section 2.3.1, the Authorization field
	SecretPost  Method = "client_secret_post"  // the same section, parameters in the body
)

// Credentials are a client_id and a secret as a request presents them; nothing
// about them has been checked. They print as their method alone.
type Credentials struct {
	Method   Method
	ClientID string `json:"-"` // people swap id and secret
	Secret   string `json:"-"`
}

// Format prints the method alone, whatever the verb: a secret must not reach a
// log because somebody printed the struct.
func (c Credentials) Format(out fmt.State, _ rune) {
	_, _ = io.WriteString(out, string(c.Method)+" credentials")
}

// Authenticated is a client that has proved who it is. Only an [Authenticator]
// makes one; the zero value has no client.
type Authenticated struct {
	client   *Client
	secretID string
	method   Method
}

// Client returns the client, which must not be changed; nil for the zero value.
func (a Authenticated) Client() *Client { return a.client }

// SecretID names the secret that was presented, for the log.
func (a Authenticated) SecretID() string { return a.secretID }

// Method tells how the client proved who it is.
func (a Authenticated) Method() Method { return a.method }
