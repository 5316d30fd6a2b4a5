package issuer

import (
	"context"
	"time"

	"github.com/dd99cb49/caddy-client-credentials/issuer/client"
	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// TokenEvent tells of one request at the token endpoint, for the audit log and
// metrics. It never holds a secret or a token.
type TokenEvent struct {
	ClientID  string        // as it may be logged; empty where none was named
	Method    client.Method // how the client authenticated; empty where it did not
	SecretID  string        // which of the client's secrets it was
	Address   string        // where the request came from
	Scope     token.Scopes  // granted
	Resources []string      // the `aud`
	TokenID   string        // the `jti`
	KeyID     string        // the `kid`
	Lifetime  time.Duration // of the token
	Duration  time.Duration // how long the answer took
	Err       *Error        // nil: a token was issued
}

// Observer is told of everything that the issuer decides. It is called on the
// request's goroutine and must not block.
type Observer interface {
	Token(ctx context.Context, event *TokenEvent)
}

type nobody struct{}

func (nobody) Token(context.Context, *TokenEvent) {}
