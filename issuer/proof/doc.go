// Package proof judges sender constraints: that whoever sends a request holds
// the key that a token is bound to. It is used at the token endpoint, which
// binds tokens, and at the gate, which asks for the proof.
//
//	DPoP proofs          RFC 9449 section 4.3   dpop.go, key.go, url.go
//	nonces for them      RFC 9449 section 8, 9  nonce.go
//	certificates         RFC 8705 section 3.1   certificate.go
package proof
