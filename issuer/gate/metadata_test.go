package gate_test

import (
	"encoding/json"
	"testing"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
)

// The well-known path is inserted before the resource's own (RFC 9728 section 3.1).
func TestMetadataLocation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ resource, url, path string }{
		{"https://api.example", "https://api.example/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource"},
		{"https://api.example/", "https://api.example/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource"},
		{"https://api.example:8443/v1", "https://api.example:8443/.well-known/oauth-protected-resource/v1", "/.well-known/oauth-protected-resource/v1"},
		{"http://localhost:8080/a/b", "http://localhost:8080/.well-known/oauth-protected-resource/a/b", "/.well-known/oauth-protected-resource/a/b"},
		{"urn:example:orders", "", ""},
		{"spiffe://domain/api", "", ""},
	} {
		metadata, err := gate.NewMetadata(gate.Config{Issuers: []gate.Issuer{gate.NewOwn(issuerURL, nil, nil)}, Resource: c.resource})
		if err != nil {
			t.Fatal(err)
		}
		if metadata.URL() != c.url {
			t.Errorf("%s: got %s", c.resource, metadata.URL())
		}
		if c.path != "" && (!metadata.Serves(c.path) || metadata.Serves(c.path+"x") || metadata.Serves("/")) {
			t.Errorf("%s: wrong path", c.resource)
		}
		if c.path == "" && (metadata.Serves("") || metadata.Serves("/")) {
			t.Errorf("%s: serves without a url", c.resource)
		}
	}
}

func TestMetadataDocument(t *testing.T) {
	t.Parallel()
	metadata, err := gate.NewMetadata(gate.Config{Issuers: []gate.Issuer{gate.NewOwn(issuerURL, nil, nil)}, Resource: resource, Declared: []string{"read"}, CertificateBound: true})
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(metadata.Body(), &document); err != nil {
		t.Fatal(err)
	}
	if document["resource"] != resource || document["tls_client_certificate_bound_access_tokens"] != true || len(document) != 6 {
		t.Fatalf("got %s", metadata.Body())
	}
}
