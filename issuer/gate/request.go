package gate

import "crypto/x509"

// Request is what a gate needs to know of a request, as the upstream will see
// it: after rewrites, and the very bytes that go on.
type Request struct {
	Method        string
	EscapedPath   string   // url.URL.EscapedPath()
	Path          string   // url.URL.Path: EscapedPath decoded once
	Authorization []string // the Authorization fields

	// Tokens in the body and in the query, where the gate takes them there (RFC
	// 6750 sections 2.2 and 2.3).
	Form, Query []string

	// Keys are the API keys, where the gate has a bridge for them, KeyHeader where
	// they stood, and Address is the client's: what a bridge asks for.
	Keys      []string
	KeyHeader string
	Address   string

	// What a sender constraint is held against.
	DPoP        []string          // the DPoP fields
	Certificate *x509.Certificate // the client's on this connection; nil: none
	Target      Target            // the url that the client asked for

	// Proved is the key that a gate further out has seen proved for these very
	// Authorization fields: a proof is used up by the first who looks at it.
	Proved string
}

// Target is what a client asked for, before any rewrite and without the query:
// what it signs in a proof.
type Target struct {
	Method string
	Scheme string // http or https
	Host   string // with the port, if there is one
	Path   string // escaped
}
