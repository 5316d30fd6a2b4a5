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
	free, bound []byte // without, and with tokens that are bound to certificates
	isBound     func() bool
	url         string
	path        string // the resource's own, in the spelling of [normal]
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
	document := metadataDocument{
		Resource: config.Resource, Issuers: issuers, Scopes: config.Declared,
		BearerMethods: config.BearerMethods, DPoPAlgs: token.AlgorithmNames(),
	}
	free, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("encoding the resource metadata: %w", err)
	}
	document.CertificateBound = true
	bound, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("encoding the resource metadata: %w", err)
	}
	decoded, escaped := parsed.Path, parsed.EscapedPath()
	if escaped == "/" { // RFC 9728 section 3.1: that slash alone goes
		decoded, escaped = "", ""
	}
	location := *parsed
	location.Path, location.RawPath = wellKnown+decoded, wellKnown+escaped
	return &Metadata{free: free, bound: bound, isBound: config.CertificateBound, url: location.String(), path: normal(escaped)}, nil
}

// URL is where the document is, for challenges; empty where there is none.
func (m *Metadata) URL() string { return m.url }

// Serves tells whether the document is asked for by a request for an escaped
// path ([url.URL.EscapedPath]). No other resource's document has its place
// where the slash behind the well-known path stands alone.
func (m *Metadata) Serves(escaped string) bool {
	path, ours := strings.CutPrefix(escaped, wellKnown)
	if !ours || m.url == "" {
		return false
	}
	return normal(path) == m.path || m.path == "" && path == "/"
}

// normal spells a path in one of the ways that mean the same (RFC 3986 section
// 6.2.2). An encoded slash stays what it is: a part of its segment.
func normal(escaped string) string {
	segments := strings.Split(escaped, "/")
	for i, segment := range segments {
		if decoded, err := url.PathUnescape(segment); err == nil {
			segments[i] = url.PathEscape(decoded)
		}
	}
	return strings.Join(segments, "/")
}

// Body is the JSON document as it is at this moment: clients come and go. It must
// not be changed.
func (m *Metadata) Body() []byte {
	if m.isBound != nil && m.isBound() {
		return m.bound
	}
	return m.free
}
