package gate

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Metadata is the metadata document of a protected resource (RFC 9728).
type Metadata struct {
	body []byte
	url  string
	path string
}

// metadataDocument is RFC 9728 section 2.
type metadataDocument struct {
	Resource         string         `json:"resource"`
	Issuers          []string       `json:"authorization_servers"`
	Scopes           []string       `json:"scopes_supported,omitempty"`
	BearerMethods    []BearerMethod `json:"bearer_methods_supported"`
	DPoPAlgs         []string       `json:"dpop_signing_alg_values_supported"`
	CertificateBound bool           `json:"tls_client_certificate_bound_access_tokens,omitempty"`
}

// wellKnown is inserted between host and path (RFC 9728 section 3.1).
const wellKnown = "/.well-known/oauth-protected-resource"

// NewMetadata makes the document of a gate's resource. One that is not an http
// or https url has none: then URL is empty.
func NewMetadata(config Config) (*Metadata, error) {
	parsed, err := url.Parse(config.Resource)
	if err != nil {
		return nil, fmt.Errorf("resource %q: expected an absolute URI", config.Resource)
	}
	if parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" {
		return &Metadata{}, nil
	}
	issuers := make([]string, len(config.Issuers))
	for i, issuer := range config.Issuers {
		issuers[i] = issuer.URL()
	}
	body, err := json.Marshal(metadataDocument{
		Resource: config.Resource, Issuers: issuers, Scopes: config.Declared,
		BearerMethods: config.BearerMethods, DPoPAlgs: token.AlgorithmNames(), CertificateBound: config.CertificateBound,
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the resource metadata: %w", err)
	}
	location := *parsed
	location.Path, location.RawPath = wellKnown+strings.TrimSuffix(parsed.Path, "/"), ""
	return &Metadata{body: body, url: location.String(), path: location.Path}, nil
}

// URL is where the document is, for challenges; empty where there is none.
func (m *Metadata) URL() string { return m.url }

// Serves tells whether the document is asked for by a request for path.
func (m *Metadata) Serves(path string) bool {
	return m.path != "" && strings.TrimSuffix(path, "/") == m.path
}

// Body is the JSON document. It must not be changed.
func (m *Metadata) Body() []byte { return m.body }
