// Package token holds the words that the issuer and the gate share: claims,
// scopes, confirmations and the checks an access token can fail, and the one
// place where tokens are signed and parsed (RFC 9068, RFC 7519, RFC 8725).
//
// It is the only package that imports a JWT library.
package token
