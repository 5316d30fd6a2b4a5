package issuer

import (
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
	Address string // the client's address, for the audit log
}

// Handler answers requests for one of the server's own paths.
type Handler func(w http.ResponseWriter, r *http.Request, peer Peer)

// Paths are the paths of the endpoints below the path of the issuer url.
type Paths struct {
	Token []string // the first is advertised; default /oauth2/token
	JWKS  string   // default /oauth2/jwks
}

// Default paths of the endpoints.
const (
	DefaultTokenPath = "/oauth2/token" //nolint:gosec // a path, not a credential
	DefaultJWKSPath  = "/oauth2/jwks"
)

// Mount returns the handlers of a place where the server answers, by the exact
// path of the request, the issuer's own path included.
func (s *Server) Mount(paths Paths) (map[string]Handler, error) {
	if len(paths.Token) == 0 {
		paths.Token = []string{DefaultTokenPath}
	}
	if paths.JWKS == "" {
		paths.JWKS = DefaultJWKSPath
	}
	document, err := s.metadata(paths)
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(s.url.Path, "/")
	handlers := map[string]Handler{base + paths.JWKS: s.serveJWKS}
	for _, path := range paths.Token {
		handlers[base+path] = s.serveToken
	}
	for _, path := range metadataPaths(base) {
		handlers[path] = serveDocument(document)
	}
	return handlers, nil
}

// endpoint is the url of a path below the issuer's.
func (s *Server) endpoint(path string) string {
	return strings.TrimSuffix(s.config.URL, "/") + path
}
