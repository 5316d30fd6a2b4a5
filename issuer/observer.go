package issuer

import (
	"context"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// Endpoint is one of the endpoints at which clients authenticate.
type Endpoint string

// The endpoints.
const (
	TokenEndpoint         Endpoint = "token"         // RFC 6749 section 3.2
	IntrospectionEndpoint Endpoint = "introspection" // RFC 7662
	RevocationEndpoint    Endpoint = "revocation"    // RFC 7009
	BridgeEndpoint        Endpoint = "bridge"        // none of ours: an API that takes credentials, see [Server.Direct]
)

// Event tells of one request at an endpoint, for the audit log and metrics. It
// never holds a secret or a token.
type Event struct {
	Endpoint Endpoint
	ClientID string // as it may be logged; empty where none was named

	// Client is who has proved to be it, also where the request was refused for
	// another reason; nil: nobody has. It must not be changed.
	Client *client.Client

	Method    client.Method // how the client authenticated; empty where it did not
	SecretID  string        // which of the client's secrets it was
	Address   string        // where the request came from
	Scope     token.Scopes  // granted
	Resources []string      // the `aud`

	Confirmation *token.Confirmation // what the token is bound to; nil: nothing

	TokenID  string        // the `jti` of the token that was issued, revoked or asked about; empty where there is none
	KeyID    string        // the `kid` of the token that was issued
	Lifetime time.Duration // of the token that was issued
	Active   bool          // what introspection answered
	Duration time.Duration // how long the answer took
	Err      *Error        // nil: the client got what it asked for

	advisory bool // [Direct.Advisory]
}

// Observer is told of everything that the issuer decides. It is called on the
// request's goroutine and must not block.
type Observer interface {
	Answered(ctx context.Context, event *Event)
}

type nobody struct{}

func (nobody) Answered(context.Context, *Event) {}
