// Package gate decides whether a request may pass to a protected API: it takes
// the bearer token out, verifies it, and holds it against the rules (RFC 6750,
// RFC 9068, RFC 9728). It knows nothing of handlers and answers nothing itself.
//
// The way of one request, [Gate.Check]:
//
//	path.go       is the path one that every upstream reads alike?
//	extract.go    exactly one token, in the Authorization header
//	verify.go     known from before, or signature, typ, iss; then aud, time,
//	              and whether its client may still use it
//	rules.go      what the method and path need
//	              (package openapi makes rules of documents)
//	verdict.go    the outcome, from which the answer is made (challenge.go)
package gate
