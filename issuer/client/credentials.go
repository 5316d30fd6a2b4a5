package client

import (
	"crypto/x509"
	"fmt"
	"io"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// GeneratedPrefix begins the secrets that this server makes.
const GeneratedPrefix = "cc_"

// Method is a client authentication method, by the name that the metadata
// gives it (RFC 7591 section 2).
type Method string

// The methods. A client that has a secret may use either of the first two.
const (
	SecretBasic             Method = "client_secret_basic"         // RFC 6749 section 2.3.1, the Authorization field
	SecretPost              Method = "client_secret_post"          // the same section, parameters in the body
	PrivateKeyJWT           Method = "private_key_jwt"             // RFC 7523 section 2.2
	TLSClientAuth           Method = "tls_client_auth"             //nolint:gosec // a name; RFC 8705 section 2.1
	SelfSignedTLSClientAuth Method = "self_signed_tls_client_auth" // RFC 8705 section 2.2
)

// The methods of a bridge, which no metadata names: credentials that come to an
// API in place of a token. They are for clients that may use one.
const (
	BridgeBasic  Method = "bridge_basic"   // client_id and secret, see [FromBridgeBasic]
	BridgeAPIKey Method = "bridge_api_key" // a secret alone
)

// Credentials are what a request presents; nothing about them has been
// checked. They print as their method alone.
type Credentials struct {
	Method   Method
	ClientID string `json:"-"` // people swap id and secret
	Secret   string `json:"-"` // for the methods with a secret

	// Assertion is for [PrivateKeyJWT]; its subject is the ClientID.
	Assertion *token.Assertion `json:"-"`

	// Certificate is that of the connection, for the two methods of RFC 8705,
	// which one of them is for the client to say: either may be asked for.
	Certificate *x509.Certificate `json:"-"`
	// ChainVerified: the certificate's chain ends in a root that is trusted.
	ChainVerified bool `json:"-"`

	// Address is where they come from.
	Address string `json:"-"`

	// Cheap: no slow hash is computed for them, see [ErrCostly].
	Cheap bool `json:"-"`
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
