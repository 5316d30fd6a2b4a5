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
		{"http://h/a/", "http://h/.well-known/oauth-protected-resource/a/", "/.well-known/oauth-protected-resource/a/"},
		{"http://h/a%2Fb/", "http://h/.well-known/oauth-protected-resource/a%2Fb/", "/.well-known/oauth-protected-resource/a%2Fb/"},
		{"http://h/a%20b/%C3%A9", "http://h/.well-known/oauth-protected-resource/a%20b/%C3%A9", "/.well-known/oauth-protected-resource/a%20b/%C3%A9"},
		{"http://h/a?x=1", "http://h/.well-known/oauth-protected-resource/a?x=1", "/.well-known/oauth-protected-resource/a"},
		{"http://h/?x=1", "http://h/.well-known/oauth-protected-resource?x=1", "/.well-known/oauth-protected-resource"},
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

// Another spelling of the same path is served; the path of another resource is
// not, for a client must refuse that document (RFC 9728 section 3.3).
func TestMetadataSpellings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		resource, path string // behind the well-known path
		serves         bool
	}{
		{"https://h", "/", true},
		{"https://h/", "/", true},
		{"https://h", "//", false},
		{"https://h", "/a", false},
		{"https://h/a", "/a/", false},
		{"https://h/a/", "/a", false},
		{"https://h/a", "", false},
		{"https://h/a", "/", false},
		{"https://h/a", "/%61", true},
		{"https://h/a%2Fb", "/a%2fb", true},
		{"https://h/a%2Fb", "/a/b", false},
		{"https://h/a/b", "/a%2Fb", false},
		{"https://h/a~b", "/a%7Eb", true},
		{"https://h/a", "/a%", false},
		{"https://h/a", "/../a", false},
		{"https://h/a", "/A", false},
	} {
		metadata, err := gate.NewMetadata(gate.Config{Issuers: []gate.Issuer{gate.NewOwn(issuerURL, nil, nil)}, Resource: c.resource})
		if err != nil {
			t.Fatal(err)
		}
		if got := metadata.Serves("/.well-known/oauth-protected-resource" + c.path); got != c.serves {
			t.Errorf("%s: serves %s: %v", c.resource, c.path, got)
		}
	}
}

// The document says what holds when it is read (RFC 9728 section 2): a client whose
// tokens are bound may come at any time.
func TestMetadataDocument(t *testing.T) {
	t.Parallel()
	bound := false
	metadata, err := gate.NewMetadata(gate.Config{
		Issuers: []gate.Issuer{gate.NewOwn(issuerURL, nil, nil)}, Resource: resource, Declared: []string{"read"},
		CertificateBound: func() bool { return bound },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, bound = range []bool{true, false, true} {
		var document map[string]any
		if err := json.Unmarshal(metadata.Body(), &document); err != nil {
			t.Fatal(err)
		}
		count := 5
		if bound {
			count = 6
		}
		if document["resource"] != resource || (document["tls_client_certificate_bound_access_tokens"] == true) != bound || len(document) != count {
			t.Fatalf("got %s", metadata.Body())
		}
	}
}
