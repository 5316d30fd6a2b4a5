package issuer

import (
	"context"
	"net/http"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// revoke makes a token of the caller's refused (RFC 7009). A token that is not
// ours, or no longer good, is answered like one that was: there is nothing
// left for the client to do (section 2.2).
func (s *Server) revoke(ctx context.Context, req *request, event *Event) (any, error) {
	who, err := s.authenticate(ctx, req, event)
	if err != nil {
		return nil, err
	}
	raw, err := req.tokenParameter()
	if err != nil {
		return nil, err
	}
	claims, err := s.Issued(raw)
	if err != nil {
		return struct{}{}, nil //nolint:nilerr // an unknown token: 200 (RFC 7009 section 2.2)
	}
	if claims.ClientID != who.Client().ID { // RFC 7009 section 2.1
		return nil, &Error{
			Code: UnauthorizedClient, Status: http.StatusBadRequest,
			Reason: "owner", Description: "the token was issued to another client",
		}
	}
	event.TokenID = claims.ID
	if check, _ := token.Failed(claims.CheckTime(s.config.Now())); check == token.CheckExpired {
		return struct{}{}, nil // refused everywhere, and not worth a place in the list
	}
	if err := s.config.Revocations.Revoke(ctx, claims.ID, claims.Expires); err != nil {
		return nil, unavailable("store", err)
	}
	return struct{}{}, nil
}
