package issuertest_test

import (
	"context"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/dd99cb49/caddy-client-credentials/issuer/gate"
	"github.com/dd99cb49/caddy-client-credentials/issuer/issuertest"
)

// A real OAuth client gets a token over TLS with an id and a secret that need
// encoding, in both places where a secret may stand, and the gate takes it.
func TestRealClient(t *testing.T) {
	t.Parallel()
	const id, secret = "job:a b", "p%q+r s:ü and more"
	server := issuertest.Start(t, issuertest.Client{ID: id, Secret: secret, Scopes: []string{"read", "write"}})
	for name, style := range map[string]oauth2.AuthStyle{"header": oauth2.AuthStyleInHeader, "body": oauth2.AuthStyleInParams} {
		config := clientcredentials.Config{
			ClientID: id, ClientSecret: secret, TokenURL: server.TokenURL(), Scopes: []string{"read"}, AuthStyle: style,
		}
		issued, err := config.Token(context.WithValue(t.Context(), oauth2.HTTPClient, server.Server.Client()))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		request := &gate.Request{Method: "GET", Path: "/", EscapedPath: "/", Authorization: []string{"Bearer " + issued.AccessToken}}
		if verdict := server.Gate(t, "read").Check(t.Context(), request); !verdict.Allowed || verdict.Claims.ClientID != id {
			t.Errorf("%s: %+v", name, verdict)
		}
		if verdict := server.Gate(t, "write").Check(t.Context(), request); verdict.Allowed {
			t.Errorf("%s: passes without the scope", name)
		}
		config.ClientSecret = "wrong"
		if _, err := config.Token(context.WithValue(t.Context(), oauth2.HTTPClient, server.Server.Client())); err == nil {
			t.Errorf("%s: a token for a wrong secret", name)
		}
	}
}
