package client

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Client is a machine that may ask for tokens, with all that it may ask for:
// what is not listed here, it has not.
type Client struct {
	ID      string // client_id, see [ValidID]
	Name    string // for people; may be empty
	Subject string // `sub` of its tokens; a [Registry] makes it the ID where empty

	// How it may prove who it is; none of them: not at all.
	Secrets     []Secret          // any of them, as client_secret_basic or client_secret_post
	Keys        Keys              // private_key_jwt; nil: none
	Certificate *CertificateName  // tls_client_auth; nil: none
	SelfSigned  *HeldCertificates // self_signed_tls_client_auth; nil: none

	// AllowBridge lets it bring a secret to an API in place of a token. It excludes
	// Require: what is bound to nothing would pass.
	AllowBridge bool

	Require Binding // what its tokens are bound to; zero: whatever it offers

	Scopes    token.Scopes // its own and those of its roles, in this order
	Roles     []string     // names of roles, for the `roles` claim
	Resources []string     // identifiers; the first is taken where none is asked for. None: no resource at all

	TokenLifetime time.Duration  // 0: the resource's, else the app's
	Claims        map[string]any // extra claims of its tokens

	Introspect Introspect // whose tokens it may introspect; zero: its own

	Disabled bool // gets no token, and those it has are refused

	// Epoch counts how often its tokens were made void at run time, on top of what
	// the [Ledger] has counted for configurations. Both only grow, and so does the
	// sum, which its tokens carry: also where a client of the configuration follows
	// one that was made at run time, or the other way round.
	Epoch uint64
}

// Binding is what the tokens of a client must be bound to (RFC 7800).
type Binding string

// The bindings.
const (
	BoundByDPoP        Binding = "dpop" // the key of a DPoP proof, RFC 9449
	BoundByCertificate Binding = "mtls" // the certificate of the connection, RFC 8705 section 3
)

// bound tells whether a token has what the client's tokens must be bound to.
func (b Binding) bound(confirmation *token.Confirmation) bool {
	switch b {
	case "":
		return true
	case BoundByDPoP:
		return confirmation != nil && confirmation.KeyThumbprint != ""
	case BoundByCertificate:
		return confirmation != nil && confirmation.CertificateThumbprint != ""
	}
	return false
}

// Introspect says about whose tokens a client may ask (RFC 7662 section 2.1).
type Introspect uint8

// What a client may introspect.
const (
	IntrospectOwn  Introspect = iota // tokens that were issued to it
	IntrospectAny                    // tokens of every client
	IntrospectNone                   // nothing
)

// MayIntrospect tells whether the client may learn about a token that was
// issued to the client with the client_id owner.
func (c *Client) MayIntrospect(owner string) bool {
	return c.Introspect == IntrospectAny || c.Introspect == IntrospectOwn && owner == c.ID
}

// methods lists how the client may prove who it is.
func (c *Client) methods() []Method {
	if c.Disabled {
		return nil
	}
	var list []Method
	if len(c.Secrets) > 0 {
		list = append(list, SecretBasic, SecretPost)
	}
	if c.Keys != nil {
		list = append(list, PrivateKeyJWT)
	}
	if c.Certificate != nil {
		list = append(list, TLSClientAuth)
	}
	if c.SelfSigned != nil {
		list = append(list, SelfSignedTLSClientAuth)
	}
	return list
}

// MaxID is the longest client_id, in bytes.
const MaxID = 128

// ValidID tells whether id can be a client_id: 1 to [MaxID] printable ASCII
// characters (RFC 6749 appendix A.1), not beginning or ending with a space,
// which a header's reader would trim.
func ValidID(id string) bool {
	for i := range len(id) {
		if id[i] < 0x20 || id[i] > 0x7E {
			return false
		}
	}
	return id != "" && len(id) <= MaxID && strings.Trim(id, " ") == id
}

// clone copies all that a later change of the original could reach.
func (c *Client) clone() *Client {
	copied := *c
	copied.Secrets = slices.Clone(c.Secrets)
	copied.Scopes = slices.Clone(c.Scopes)
	copied.Roles = slices.Clone(c.Roles)
	copied.Resources = slices.Clone(c.Resources)
	copied.Claims = maps.Clone(c.Claims)
	return &copied
}
