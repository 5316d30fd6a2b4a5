// Package gate decides whether a request may pass to a protected API: it takes
// the token out, verifies it, asks for what it is bound to, and holds it against
// the rules (RFC 6750, RFC 8705, RFC 9068, RFC 9449, RFC 9728). It knows nothing of handlers and answers nothing itself.
//
// The way of one request, [Gate.Check]:
//
//	path.go       is the path one that every upstream reads alike?
//	extract.go    exactly one token, where the gate looks for it
//	verify.go     known from before (cache.go), or signature, typ, iss; then
//	              aud, time, and whether its client may still use it
//	issuer.go     who is to judge it: our own issuer, or one that is trusted
//	constrain.go  the certificate or the proof of the key that it is bound to
//	rules.go      what the method and path need
//	              (package openapi makes rules of documents)
//	verdict.go    the outcome, from which the answer is made (challenge.go)
package gate
