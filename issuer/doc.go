// Package issuer is the authorization server for the client credentials grant:
// plain net/http, and nothing of Caddy.
//
// Where the specifications are:
//
//	RFC 6749 section 2.3, 4.4  client authentication and the grant   authenticate.go, grant.go, client/
//	RFC 6749 section 3.2, 5    token endpoint, answers, errors       http.go, request.go, query.go, errors.go
//	RFC 6750                   bearer tokens at the gate             gate/, and in forms and queries ../caddymodule/bearer.go
//	RFC 7009                   revocation                            revoke.go, revocation/
//	RFC 7515, 7519, 8725       JWS, JWT and how to verify them       token/
//	RFC 7517, 7638             JSON Web Keys, thumbprints            keys/
//	RFC 7521, 7523             client assertions                     authenticate.go, token/assertion.go, client/assertion.go
//	RFC 7662                   introspection                         introspect.go
//	RFC 8414                   authorization server metadata         metadata.go, document.go; that of others keys/discovery.go
//	RFC 8705 section 2         certificates of clients               client/certificate*.go, client/selfsigned*.go, client/dn*.go
//	RFC 8705 section 3         certificate-bound tokens              bind.go, proof/certificate.go, gate/constrain.go
//	RFC 8705 section 5         a second place for certificates       metadata.go, server.go
//	RFC 8707                   resource indicators                   grant.go
//	RFC 9068                   JWT access tokens                     token/claims.go, grant.go, gate/verify.go; of others token/foreign.go
//	RFC 9449                   DPoP                                  bind.go, token/proof.go, proof/, gate/constrain.go
//	RFC 9728                   protected resource metadata           gate/metadata.go
//	RFC 9864                   Ed25519 as another name of EdDSA      token/key.go
//
// A token request: the handler of [Server.Mount] reads the form strictly
// (request.go), takes the credentials out of it (authenticate.go), has the
// package client find out whose they are, holds resources and scopes against
// what that client has, binds the token where it is to be (bind.go), and mints
// (grant.go). One [Event] tells the
// [Observer] of the outcome, good or bad (observer.go).
//
// A gated request does not come here: package gate decides it, with the public
// keys and the states of the clients alone, and of other authorization servers
// with their keys (gate/issuer.go).
package issuer
