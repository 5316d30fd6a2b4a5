package issuer

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// grantType is the one grant that this server knows (RFC 6749 section 4.4.2).
const grantType = "client_credentials"

// metadata is the authorization server metadata (RFC 8414 section 2). It says
// what is configured and works, and nothing else.
type metadata struct {
	Issuer        string   `json:"issuer"`
	TokenEndpoint string   `json:"token_endpoint"`
	JWKSURI       string   `json:"jwks_uri"`
	Scopes        []string `json:"scopes_supported,omitempty"`
	// There is no authorization endpoint; the member is required all the same.
	ResponseTypes []string        `json:"response_types_supported"`
	GrantTypes    []string        `json:"grant_types_supported"`
	AuthMethods   []client.Method `json:"token_endpoint_auth_methods_supported"`
	AuthAlgs      []string        `json:"token_endpoint_auth_signing_alg_values_supported,omitempty"`
	Resources     []string        `json:"protected_resources,omitempty"` // RFC 9728 section 4

	Introspection        string          `json:"introspection_endpoint,omitempty"`
	IntrospectionMethods []client.Method `json:"introspection_endpoint_auth_methods_supported,omitempty"`
	IntrospectionAlgs    []string        `json:"introspection_endpoint_auth_signing_alg_values_supported,omitempty"`
	Revocation           string          `json:"revocation_endpoint,omitempty"`
	RevocationMethods    []client.Method `json:"revocation_endpoint_auth_methods_supported,omitempty"`
	RevocationAlgs       []string        `json:"revocation_endpoint_auth_signing_alg_values_supported,omitempty"`

	DPoPAlgs         []string     `json:"dpop_signing_alg_values_supported"`                    // RFC 9449 section 5.1
	CertificateBound bool         `json:"tls_client_certificate_bound_access_tokens,omitempty"` // RFC 8705 section 3.3
	MTLSAliases      *mtlsAliases `json:"mtls_endpoint_aliases,omitempty"`                      // RFC 8705 section 5
}

// mtlsAliases are the endpoints where client certificates are asked for.
type mtlsAliases struct {
	Token         string `json:"token_endpoint"`
	Introspection string `json:"introspection_endpoint,omitempty"`
	Revocation    string `json:"revocation_endpoint,omitempty"`
}

func (s *Server) metadata(paths Paths) ([]byte, error) {
	document := metadata{
		Issuer:        s.config.URL,
		TokenEndpoint: s.endpoint(paths.Token[0]),
		JWKSURI:       s.endpoint(paths.JWKS),
		ResponseTypes: []string{},
		GrantTypes:    []string{grantType},
		AuthMethods:   s.config.Clients.Methods(),
		Resources:     s.order,

		DPoPAlgs:         token.AlgorithmNames(),
		CertificateBound: s.config.Clients.Requires(client.BoundByCertificate),
		MTLSAliases:      s.mtlsAliases(paths),
	}
	if slices.Contains(document.AuthMethods, client.PrivateKeyJWT) {
		document.AuthAlgs = token.AlgorithmNames() // RFC 8414 section 2: needed with this method
	}
	if paths.Introspection != Off {
		document.Introspection = s.endpoint(paths.Introspection)
		document.IntrospectionMethods, document.IntrospectionAlgs = document.AuthMethods, document.AuthAlgs
	}
	if paths.Revocation != Off {
		document.Revocation = s.endpoint(paths.Revocation)
		document.RevocationMethods, document.RevocationAlgs = document.AuthMethods, document.AuthAlgs
	}
	var scopes token.Scopes
	for _, identifier := range s.order {
		scopes = scopes.Union(s.resources[identifier].Scopes)
	}
	document.Scopes = scopes
	body, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("encoding the metadata: %w", err)
	}
	return body, nil
}

func (s *Server) mtlsAliases(paths Paths) *mtlsAliases {
	if paths.MTLSHost == "" {
		return nil
	}
	aliases := &mtlsAliases{Token: s.twin(paths, paths.Token[0])}
	if paths.Introspection != Off {
		aliases.Introspection = s.twin(paths, paths.Introspection)
	}
	if paths.Revocation != Off {
		aliases.Revocation = s.twin(paths, paths.Revocation)
	}
	return aliases
}

// metadataPaths lists where the metadata of an issuer with the path base is
// looked for: inserted before the path (RFC 8414 section 3.1), and as OpenID
// Connect Discovery section 4 has it, appended too.
func metadataPaths(base string) []string {
	const oauth, openid = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
	paths := []string{oauth + base, openid + base}
	if base != "" {
		paths = append(paths, base+openid)
	}
	return paths
}
