package issuer

import (
	"context"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// inactive is the whole answer for a token that is not alive or that the
// caller may not see: which of the two, and why, is not told (RFC 7662
// section 2.2).
type inactive struct {
	Active bool `json:"active"`
}

// introspection is RFC 7662 section 2.2 for a token that is alive.
type introspection struct {
	Active       bool                `json:"active"`
	Scope        string              `json:"scope,omitempty"`
	ClientID     string              `json:"client_id"`
	Subject      string              `json:"sub"`
	Audience     any                 `json:"aud"`
	Issuer       string              `json:"iss"`
	IssuedAt     int64               `json:"iat"`
	Expires      int64               `json:"exp"`
	ID           string              `json:"jti"`
	TokenType    string              `json:"token_type"`
	Confirmation *token.Confirmation `json:"cnf,omitempty"`
}

// introspect answers what a token is worth (RFC 7662). Who asks must prove who
// it is, or anybody could try out tokens (section 2.1).
func (s *Server) introspect(ctx context.Context, req *request, event *Event) (any, error) {
	who, err := s.authenticate(ctx, req, event)
	if err != nil {
		return nil, err
	}
	raw, err := req.tokenParameter()
	if err != nil {
		return nil, err
	}
	claims, err := s.alive(raw)
	if err != nil || !who.Client().MayIntrospect(claims.ClientID) {
		return inactive{}, nil //nolint:nilerr // the answer is that the token is not alive
	}
	event.TokenID, event.Active = claims.ID, true
	described := introspection{
		Active: true, Scope: claims.Scope.String(), ClientID: claims.ClientID, Subject: claims.Subject,
		Audience: claims.Audience, Issuer: claims.Issuer, IssuedAt: claims.IssuedAt, Expires: claims.Expires,
		ID: claims.ID, TokenType: claims.TokenType(), Confirmation: claims.Confirmation,
	}
	if len(claims.Audience) == 1 {
		described.Audience = claims.Audience[0]
	}
	return described, nil
}
