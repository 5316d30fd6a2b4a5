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
	offered, malformed, err := s.credentials(req)
	if err != nil {
		return client.Authenticated{}, err
	}
	event.Method = offered.Method
	if offered.ClientID != "" {
		event.ClientID = s.loggableID(offered)
	}
	if wait := s.config.Failures.Blocked(s.config.FailureLimit, offered.ClientID, event.Address); wait > 0 {
		return client.Authenticated{}, tooManyFailures(wait)
	}
	var who client.Authenticated
	if offered.Method == "" {
		err = s.config.Authenticator.Reject(ctx, malformed)
	} else {
		who, err = s.config.Authenticator.Authenticate(ctx, offered)
	}
	// One who names no client guesses at none.
	if errors.Is(err, client.ErrInvalidClient) && offered.ClientID != "" {
		s.config.Failures.Count(s.config.FailureLimit, offered.ClientID, event.Address)
	}
	event.SecretID = who.SecretID()
	return who, err
}

// credentials takes what the client offers out of the request. Without a method
// there is nothing that could authenticate; malformed then says why, and is nil
// where nothing was offered.
func (s *Server) credentials(req *request) (offered client.Credentials, malformed, err error) {
	id, secret := req.form.get("client_id"), req.form.get("client_secret")
	assertion := req.form.get("client_assertion") != "" || req.form.get("client_assertion_type") != ""
	methods := len(req.authorization)
	if secret != "" {
		methods++
	}
	if assertion {
		methods++
	}
	offered = client.Credentials{ClientID: id, Secret: secret}
	switch {
	case methods > 1:
		// RFC 6749 section 2.3: MUST NOT use more than one method.
		return offered, nil, invalidRequest("methods", "more than one client authentication method is used")
	case len(req.authorization) == 1:
		offered, malformed = client.FromBasic(req.authorization[0])
		// Known before any secret is looked at, so that it tells nothing: whoever
		// sends two ids gets this answer whether or not the secret is right.
		if malformed == nil && id != "" && id != offered.ClientID {
			return offered, nil, invalidRequest("client_id", "client_id differs from the one that authenticates")
		}
		return offered, malformed, nil
	case secret != "" && id != "":
		offered.Method = client.SecretPost
		return offered, nil, nil
	case assertion:
		return offered, errAssertion, nil
	default:
		return offered, nil, nil
	}
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
