package issuer

import (
	"cmp"
	"crypto/x509"
	"net/http"
	"net/url"
	"strings"
)

// Server is the authorization server: one for a configuration, with any number
// of places where it is mounted.
type Server struct {
	config    Config
	resources map[string]*Resource // by identifier
	order     []string             // identifiers as configured
	url       *url.URL
}

// New makes a server. The error says which part of the configuration is
// missing or wrong.
func New(config Config) (*Server, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	parsed, err := url.Parse(config.URL)
	if err != nil {
		return nil, err
	}
	config.Authenticator.AcceptAudience(config.URL)
	server := &Server{config: config, url: parsed, resources: make(map[string]*Resource, len(config.Resources))}
	for i := range config.Resources {
		resource := &config.Resources[i]
		server.resources[resource.Identifier] = resource
		server.order = append(server.order, resource.Identifier)
	}
	return server, nil
}

// Peer is what is known of the other end of a connection and is not in the
// request: configuration decides whom to believe.
type Peer struct {
	Address string // the client's address, for the audit log and the limit of failures

	Certificate   *x509.Certificate // the client's on this connection; nil: none
	ChainVerified bool              // its chain ends in a root that the operator trusts
}

// Handler answers requests for one of the server's own paths.
type Handler func(w http.ResponseWriter, r *http.Request, peer Peer)

// Paths are the paths of the endpoints below the path of the issuer url.
type Paths struct {
	Token         []string // the first is advertised; default /oauth2/token
	JWKS          string   // default /oauth2/jwks
	Introspection string   // or Off; default /oauth2/introspect
	Revocation    string   // or Off; default /oauth2/revoke

	// MTLSHost is scheme and authority of a second place where the same paths
	// are, which asks for client certificates (RFC 8705 section 5). Default: none.
	MTLSHost string
}

// Off in place of a path: there is no such endpoint.
const Off = "off"

// Default paths of the endpoints.
const (
	DefaultTokenPath         = "/oauth2/token" //nolint:gosec // a path, not a credential
	DefaultJWKSPath          = "/oauth2/jwks"
	DefaultIntrospectionPath = "/oauth2/introspect"
	DefaultRevocationPath    = "/oauth2/revoke"
)

// WithDefaults returns the paths with the default in place of each empty one.
func (p Paths) WithDefaults() Paths {
	if len(p.Token) == 0 {
		p.Token = []string{DefaultTokenPath}
	}
	p.JWKS = cmp.Or(p.JWKS, DefaultJWKSPath)
	p.Introspection = cmp.Or(p.Introspection, DefaultIntrospectionPath)
	p.Revocation = cmp.Or(p.Revocation, DefaultRevocationPath)
	return p
}

// Mount returns the handlers of a place where the server answers, by the exact
// path of the request, the issuer's own path included. All places are mounted
// before the first request.
func (s *Server) Mount(paths Paths) (map[string]Handler, error) {
	paths = paths.WithDefaults()
	metadata, err := s.serveMetadata(paths)
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(s.url.Path, "/")
	handlers := map[string]Handler{base + paths.JWKS: s.serveJWKS}
	for _, path := range paths.Token {
		urls := s.endpoints(paths, path)
		issue, err := s.issueAt(urls)
		if err != nil {
			return nil, err
		}
		handlers[base+path] = s.serve(TokenEndpoint, issue)
		if s.config.EndpointAudience {
			s.config.Authenticator.AcceptAudience(urls...)
		}
	}
	if paths.Introspection != Off {
		handlers[base+paths.Introspection] = s.serve(IntrospectionEndpoint, s.introspect)
	}
	if paths.Revocation != Off {
		handlers[base+paths.Revocation] = s.serve(RevocationEndpoint, s.revoke)
	}
	for _, path := range metadataPaths(base) {
		handlers[path] = metadata
	}
	return handlers, nil
}

// endpoint is the url of a path below the issuer's.
func (s *Server) endpoint(path string) string {
	return strings.TrimSuffix(s.config.URL, "/") + path
}

// twin is the url of the same path at the place for client certificates.
func (s *Server) twin(paths Paths, path string) string {
	return strings.TrimSuffix(paths.MTLSHost, "/") + strings.TrimSuffix(s.url.EscapedPath(), "/") + path
}

// endpoints are all urls of a path below the issuer's.
func (s *Server) endpoints(paths Paths, path string) []string {
	if paths.MTLSHost == "" {
		return []string{s.endpoint(path)}
	}
	return []string{s.endpoint(path), s.twin(paths, path)}
}
