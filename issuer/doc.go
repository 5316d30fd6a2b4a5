// Package issuer is the authorization server for the client credentials grant:
// plain net/http, and nothing of Caddy.
//
// Where the specifications are:
//
//	RFC 6749 section 2.3, 4.4  client authentication and the grant   authenticate.go, grant.go, client/
//	RFC 6749 section 3.2, 5    token endpoint, answers, errors       http.go, request.go, query.go, errors.go
//	RFC 6750                   bearer tokens at the gate             gate/
//	RFC 7515, 7519, 8725       JWS, JWT and how to verify them       token/
//	RFC 7517, 7638             JSON Web Keys, thumbprints            keys/
//	RFC 8414                   authorization server metadata         metadata.go, document.go
//	RFC 8707                   resource indicators                   grant.go
//	RFC 9068                   JWT access tokens                     token/claims.go, grant.go, gate/verify.go
//	RFC 9728                   protected resource metadata           gate/metadata.go
//
// A token request: the handler of [Server.Mount] reads the form strictly
// (request.go), takes the credentials out of it (authenticate.go), has the
// package client find out whose they are, holds resources and scopes against
// what that client has, and mints (grant.go). One [Event] tells the
// [Observer] of the outcome, good or bad (observer.go).
//
// A gated request does not come here: package gate decides it, with the public
// keys and the states of the clients alone.
package issuer
