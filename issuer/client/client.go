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

	Secrets []Secret

	Scopes    token.Scopes // its own and those of its roles, in this order
	Roles     []string     // names of roles, for the `roles` claim
	Resources []string     // identifiers; the first is taken where none is asked for. None: no resource at all

	TokenLifetime time.Duration  // 0: the resource's, else the app's
	Claims        map[string]any // extra claims of its tokens

	Introspect Introspect // whose tokens it may introspect; zero: its own

	Disabled bool // gets no token, and those it has are refused
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
func (c *Client) clone() Client {
	copied := *c
	copied.Secrets = slices.Clone(c.Secrets)
	copied.Scopes = slices.Clone(c.Scopes)
	copied.Roles = slices.Clone(c.Roles)
	copied.Resources = slices.Clone(c.Resources)
	copied.Claims = maps.Clone(c.Claims)
	return copied
}
