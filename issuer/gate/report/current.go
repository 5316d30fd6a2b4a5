package report

import (
	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Current is the configuration that is in force when something is suggested. Rows
// may be from before it was: what it has already need not be added.
type Current interface {
	// Rules are those of the gate for a resource at a site; nil where there is none.
	Rules(resource, site string) []gate.Rule
	// Needs are sets of scopes each of which is enough there for a method under the
	// rule with a pattern; empty: at a gate without rules. Found: there is such a rule.
	Needs(resource, site, method, pattern string) (sets []token.Scopes, found bool)
	// Allows tells whether that gate lets a client of an issuer in; empty: of our own.
	Allows(resource, site, issuer, clientID string) bool
	// Client returns a client of our own issuer.
	Client(id string) Client
}

// Client is what a [Current] configuration has of a client of our own issuer.
type Client struct {
	Place  Place
	Scopes token.Scopes // that it may have, by its roles too
}

// Place is where a client is configured.
type Place uint8

// The places.
const (
	Nowhere         Place = iota // there is no such client
	InConfiguration              // within a line of the configuration
	AtRunTime                    // it was made by a command or at the admin endpoint
)
