package issuer

import (
	"context"
	"errors"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
)

// authenticate finds out who asks (RFC 6749 section 2.3): exactly one method.
func (s *Server) authenticate(ctx context.Context, req *request, event *Event) (client.Authenticated, error) {
	offered, malformed, err := s.credentials(req)
	if err != nil {
		return client.Authenticated{}, err
	}
	return s.admit(ctx, offered, malformed, event)
}

// admit judges what a client offers, as often as it may. malformed says why
// there is nothing to judge.
func (s *Server) admit(ctx context.Context, offered client.Credentials, malformed error, event *Event) (client.Authenticated, error) {
	event.Method = offered.Method
	if offered.ClientID != "" {
		event.ClientID = s.loggableID(offered)
	}
	limit, failures := s.config.FailureLimit, s.config.Failures
	if event.advisory {
		failures = s.config.Advised
	}
	// Who names no client must not wait for those who name an impossible one.
	if wait := failures.Blocked(limit, offered.ClientID, event.Address); wait > 0 && offered.ClientID != "" {
		return client.Authenticated{}, tooManyFailures(wait)
	}
	exhausted := failures.Exhausted(limit, event.Address)
	offered.Cheap, offered.Address = exhausted > 0, event.Address
	who, err := s.judge(ctx, offered, malformed, event.advisory)
	switch {
	case errors.Is(err, client.ErrUnjudged): // it may be right
	case errors.Is(err, client.ErrBusy):
		// Of an address that keeps the queue full, each attempt counts: or it would
		// never have too many.
		failures.Count(limit, "", event.Address)
	case errors.Is(err, client.ErrInvalidClient):
		failures.Count(limit, offered.ClientID, event.Address)
		if exhausted > 0 {
			return client.Authenticated{}, tooManyFailures(exhausted)
		}
	}
	if errors.Is(err, client.ErrCostly) {
		return client.Authenticated{}, tooManyFailures(exhausted)
	}
	if err == nil {
		event.Client, event.SecretID, event.Method = who.Client(), who.SecretID(), who.Method()
	}
	return who, err
}

// judge asks whose the credentials are.
func (s *Server) judge(ctx context.Context, offered client.Credentials, malformed error, advisory bool) (who client.Authenticated, err error) {
	if advisory {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, advisoryWait, client.ErrBusy)
		defer cancel()
	}
	if offered.Method == "" {
		err = s.config.Authenticator.Reject(ctx, offered, malformed)
	} else {
		who, err = s.config.Authenticator.Authenticate(ctx, offered)
	}
	if errors.Is(err, context.DeadlineExceeded) && errors.Is(context.Cause(ctx), client.ErrBusy) {
		return client.Authenticated{}, client.ErrBusy
	}
	return who, err
}

// assertionType is the only `client_assertion_type` (RFC 7523 section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

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
		return sameClient(offered, malformed, id)
	case assertion:
		offered, malformed = fromAssertion(req.form)
		return sameClient(offered, malformed, id)
	case secret != "" && id != "":
		offered.Method = client.SecretPost
	case secret == "" && id != "" && req.peer.Certificate != nil:
		// A certificate counts only where nothing else comes: it may be there for
		// other reasons.
		offered.Method = client.TLSClientAuth
		offered.Certificate, offered.ChainVerified = req.peer.Certificate, req.peer.ChainVerified
	}
	return offered, nil, nil
}

// fromAssertion reads the client assertion (RFC 7521 section 4.2).
func fromAssertion(parameters form) (client.Credentials, error) {
	if parameters.get("client_assertion_type") != assertionType {
		return client.Credentials{}, errors.New("client_assertion_type: expected " + assertionType)
	}
	return client.FromAssertion(parameters.get("client_assertion"))
}

// sameClient refuses a client_id in the body that is not that of the
// credentials (RFC 7521 section 4.2). It is known before anything is verified,
// so that it tells nothing: whoever sends two ids gets this answer whether or
// not the credentials are good. Those that cannot be read are the body's.
func sameClient(offered client.Credentials, malformed error, id string) (client.Credentials, error, error) {
	if malformed != nil {
		return client.Credentials{ClientID: id}, malformed, nil
	}
	if id != "" && id != offered.ClientID {
		return offered, nil, invalidRequest("client_id", "client_id differs from the one that authenticates")
	}
	return offered, nil, nil
}

// loggableID is what the log may call a client that names itself. Where the
// secret is somebody's client_id, the two are swapped, and what stands for the
// client_id is a secret. That takes as long whichever clients there are.
func (s *Server) loggableID(credentials client.Credentials) string {
	loggable := s.config.Clients.LoggableID(credentials.ClientID)
	if _, swapped := s.config.Clients.Lookup(credentials.Secret); swapped {
		return client.WithheldID
	}
	return loggable
}
