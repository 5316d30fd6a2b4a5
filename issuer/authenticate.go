package issuer

import (
	"context"
	"errors"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// errAssertion: no client of this server is registered for assertions.
var errAssertion = errors.New("client assertions are not accepted")

// authenticate finds out who asks (RFC 6749 section 2.3): exactly one method.
func (s *Server) authenticate(ctx context.Context, req *request, event *Event) (client.Authenticated, error) {
	credentials, err := s.credentials(ctx, req, event)
	if err != nil {
		return client.Authenticated{}, err
	}
	event.ClientID = s.loggableID(credentials)
	event.Method = credentials.Method
	who, err := s.config.Authenticator.Authenticate(ctx, credentials)
	if err != nil {
		return client.Authenticated{}, err
	}
	event.SecretID = who.SecretID()
	return who, nil
}

// credentials takes what the client offers out of the request.
func (s *Server) credentials(ctx context.Context, req *request, event *Event) (client.Credentials, error) {
	id, secret := req.form.get("client_id"), req.form.get("client_secret")
	assertion := req.form.get("client_assertion") != "" || req.form.get("client_assertion_type") != ""
	methods := len(req.authorization)
	if secret != "" {
		methods++
	}
	if assertion {
		methods++
	}
	if id != "" {
		event.ClientID = s.loggableID(client.Credentials{ClientID: id, Secret: secret})
	}
	switch {
	case methods > 1:
		// RFC 6749 section 2.3: MUST NOT use more than one method.
		return client.Credentials{}, invalidRequest("methods", "more than one client authentication method is used")
	case len(req.authorization) == 1:
		return s.basicCredentials(ctx, req.authorization[0], id)
	case secret != "" && id != "":
		return client.Credentials{Method: client.SecretPost, ClientID: id, Secret: secret}, nil
	case assertion:
		return client.Credentials{}, s.config.Authenticator.Reject(ctx, errAssertion)
	default:
		return client.Credentials{}, s.config.Authenticator.Reject(ctx, nil)
	}
}

func (s *Server) basicCredentials(ctx context.Context, field, bodyID string) (client.Credentials, error) {
	credentials, err := client.FromBasic(field)
	if err != nil {
		return client.Credentials{}, s.config.Authenticator.Reject(ctx, err)
	}
	// Known before any secret is looked at, so that it tells nothing: whoever
	// sends two ids gets this answer whether or not the secret is right.
	if bodyID != "" && bodyID != credentials.ClientID {
		return client.Credentials{}, invalidRequest("client_id", "client_id differs from the one that authenticates")
	}
	return credentials, nil
}

// loggableID is what the log may call a client that names itself. Where the
// secret is somebody's client_id, the two are swapped, and what stands for the
// client_id is a secret.
func (s *Server) loggableID(credentials client.Credentials) string {
	if _, swapped := s.config.Clients.Lookup(credentials.Secret); swapped {
		return client.WithheldID
	}
	return s.config.Clients.LoggableID(credentials.ClientID)
}
