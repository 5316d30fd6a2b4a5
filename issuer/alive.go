package issuer

import "github.com/dd99cb49/caddy-client-credentials/issuer/token"

// Issued returns the claims of a token that this issuer has made, alive or not, as
// long as its key is there. The error does not quote the token.
func (s *Server) Issued(raw string) (*token.Claims, error) {
	claims, err := token.Parse(raw, s.config.Keys)
	if err != nil {
		return nil, err
	}
	if claims.Issuer != s.config.URL {
		return nil, &token.Error{Check: token.CheckIssuer}
	}
	return claims, nil
}

// alive returns the claims of a token that a gate would take for good.
func (s *Server) alive(raw string) (*token.Claims, error) {
	claims, err := s.Issued(raw)
	if err != nil {
		return nil, err
	}
	if err := claims.CheckTime(s.config.Now()); err != nil {
		return nil, err
	}
	return claims, s.config.Standing.CheckToken(claims)
}

// tokenParameter is the token that introspection and revocation are about.
// `token_type_hint` is not needed: there is one kind of token.
func (r *request) tokenParameter() (string, error) {
	raw := r.form.get("token")
	if raw == "" {
		return "", invalidRequest("token", "token is missing")
	}
	return raw, nil
}
