package issuer

import (
	"context"
	"net/http"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Direct is what a caller brings to an API in place of a token: a bridge for
// those who cannot ask for one yet.
type Direct struct {
	Method        client.Method // [client.BridgeBasic] or [client.BridgeAPIKey]
	Authorization string        // the field, for the former
	Key           string        // the secret, for the latter
	Address       string        // the client's, for the log and the limit of failures
	Resource      string        // the API's identifier

	// Advisory says that the caller passes whatever is answered. Its failures are
	// counted apart: who has always sent something wrong must not be kept from the
	// token endpoint by a gate that only reports. And it is not kept waiting: where
	// slow hashes are being computed, the answer is [client.ErrBusy]'s.
	Advisory bool
}

// advisoryWait is how long a caller waits for the computation of others where
// the answer changes nothing for it.
const advisoryWait = 100 * time.Millisecond

// Direct judges credentials as the token endpoint does, with the same limits, and
// returns what a token of the client for the resource would say, with all that
// is granted there. It is no token: it has no times, no `jti`, and binds nothing.
//
// Beside an error there are claims where the client has proved who it is: they
// tell an operator whose request it was, and decide nothing. named is what a log may
// call the client that the credentials name, proved or not; empty: they name none.
func (s *Server) Direct(ctx context.Context, offer *Direct) (claims *token.Claims, named string, refusal *Error) {
	start := time.Now()
	event := &Event{Endpoint: BridgeEndpoint, Address: offer.Address, Resources: []string{offer.Resource}, advisory: offer.Advisory}
	claims, err := s.direct(ctx, offer, event)
	if err != nil {
		event.Err = asError(err)
	}
	event.Duration = time.Since(start)
	s.config.Observer.Answered(ctx, event)
	return claims, event.ClientID, event.Err
}

func (s *Server) direct(ctx context.Context, offer *Direct, event *Event) (*token.Claims, error) {
	offered, malformed := offer.credentials()
	who, err := s.admit(ctx, offered, malformed, event)
	event.Method = offer.Method // also where they could not be read
	if err != nil {
		return nil, err
	}
	c := who.Client()
	event.ClientID = c.ID
	claims := &token.Claims{
		Issuer: s.config.URL, Subject: c.Subject, Audience: event.Resources, ClientID: c.ID, Roles: c.Roles, Extra: c.Claims,
	}
	resources, err := s.authorizeResources(c, event.Resources)
	if err != nil {
		return claims, &Error{
			Code: InvalidTarget, Status: http.StatusForbidden,
			Reason: "resource", Description: "the client may not use this resource", Cause: err,
		}
	}
	claims.Scope = grantedAt(c, resources)
	event.Scope = claims.Scope
	return claims, nil
}

// credentials reads what is brought.
func (d *Direct) credentials() (client.Credentials, error) {
	if d.Method == client.BridgeBasic {
		return client.FromBridgeBasic(d.Authorization)
	}
	return client.Credentials{Method: client.BridgeAPIKey, Secret: d.Key}, nil
}
